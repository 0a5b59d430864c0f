using System.Data.Common;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Moderation;
using Npgsql;

namespace HeartGrains.Ledger.Postgres;

/// <summary>What operators told targets and users: each order one transaction, one after the other.</summary>
public sealed partial class PostgresLedger : IModerationStore
{
    private static readonly string ListLatestSql = Named(
        $"select {Columns} from heart_event where user_id collate \"C\" = $1 and (target = $2 or about = $2) order by xid desc, target desc, version desc limit $3");

    /// <inheritdoc/>
    public ValueTask<RuleChange> FreezeAsync(Guid target, string targetId, bool isFrozen, string reason, Decision decision, CancellationToken cancellationToken) =>
        ModerateAsync(sql => sql.FreezeAsync(target, targetId, isFrozen, reason, decision), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<RuleChange> RedirectAsync(
        Guid target, string targetId, Guid to, string toId, string reason, Decision decision, CancellationToken cancellationToken) =>
        ModerateAsync(sql => sql.RedirectAsync(target, targetId, to, toId, reason, decision), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<TargetRule?> FindRuleAsync(Guid target, CancellationToken cancellationToken) => ModerateAsync(sql => sql.FindRuleAsync(target), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long> MoveOpeningAsync(Guid from, string fromId, Guid to, string toId, OpeningDecision decide, CancellationToken cancellationToken) =>
        ModerateAsync(sql => sql.MoveOpeningAsync(from, fromId, to, toId, decide), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long> CountMovedAsync(Guid target, string job, CancellationToken cancellationToken) => ModerateLongAsync(sql => sql.CountMovedAsync(target, job), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<BlockChange> BlockAsync(HeartId user, long untilMicros, Decision decision, CancellationToken cancellationToken) =>
        ModerateAsync(sql => sql.BlockAsync(user, untilMicros, decision), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<BlockEntry>> ReadBlocksAsync(long after, int limit, CancellationToken cancellationToken) =>
        ModerateAsync(sql => sql.ReadBlocksAsync(after, limit), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<BlockedUser>> ListBlocksAsync(long after, long nowMicros, int limit, CancellationToken cancellationToken) =>
        ModerateAsync(sql => sql.ListBlocksAsync(after, nowMicros, limit), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<LoggedEvent>> ListLatestAsync(Guid target, string userId, int limit, CancellationToken cancellationToken) =>
        AskAsync<IReadOnlyList<LoggedEvent>>(async () =>
        {
            var events = await QueryAsync(ListLatestSql, [Value(userId), Value(target), Value(limit)], ReadLogged, cancellationToken);
            events.Reverse();
            return events;
        });

    /// <inheritdoc/>
    public ValueTask<long?> FindOldestUnfoldedAsync(CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var command = _source.CreateCommand("select at_micros from heart_event where xid > (select xid from heart_fold) order by xid limit 1");
        return (long?)await command.ExecuteScalarAsync(cancellationToken);
    });

    /// <inheritdoc/>
    public async ValueTask OpenQuarantineAsync(Quarantine quarantine, Decision decision, CancellationToken cancellationToken) =>
        await ModerateAsync(sql => sql.OpenQuarantineAsync(quarantine, decision), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Quarantine?> FindQuarantineAsync(string id, CancellationToken cancellationToken) => ModerateLongAsync(sql => sql.FindQuarantineAsync(id), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> AdvanceQuarantineAsync(string id, QuarantineState from, QuarantineState to, Decision? decision, CancellationToken cancellationToken) =>
        ModerateAsync(sql => sql.AdvanceQuarantineAsync(id, from, to, decision), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask HoldAsync(string id, IReadOnlyList<HeldHeart> hearts, CancellationToken cancellationToken) =>
        await ModerateLongAsync(sql => sql.HoldAsync(id, hearts), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<HeldState>> ReadHeldAsync(string id, int limit, CancellationToken cancellationToken) =>
        ModerateLongAsync(sql => sql.ReadHeldAsync(id, limit), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<HeldState>> ReadHeldAsync(string id, IReadOnlyList<HeldHeart> hearts, CancellationToken cancellationToken) =>
        ModerateLongAsync(sql => sql.ReadHeldAsync(id, hearts), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask ForgetHeldAsync(string id, IReadOnlyList<HeldHeart> hearts, int released, int skipped, CancellationToken cancellationToken) =>
        await ModerateLongAsync(sql => sql.ForgetHeldAsync(id, hearts, released, skipped), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<string?> FindHoldAsync(Guid target, HeartId heart, CancellationToken cancellationToken) =>
        ModerateAsync(sql => sql.FindHoldAsync(target, heart), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<BlockedUser?> FindBlockAsync(HeartId user, long nowMicros, CancellationToken cancellationToken) =>
        ModerateAsync(sql => sql.FindBlockAsync(user, nowMicros), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<UserHolds>> ListHoldsAsync(string userId, int limit, CancellationToken cancellationToken) =>
        ModerateLongAsync(sql => sql.ListHoldsAsync(userId, limit), cancellationToken);

    /// <summary>For pages of operations: nobody waits, and a page that is given up is done again.</summary>
    private ValueTask<T> ModerateLongAsync<T>(Func<ModerationSql, Task<T>> work, CancellationToken cancellationToken) =>
        ModerateAsync(work, cancellationToken, PostgresConnection.Seconds(_options.FoldTimeout), Timeout.InfiniteTimeSpan);

    private ValueTask<T> ModerateAsync<T>(Func<ModerationSql, Task<T>> work, CancellationToken cancellationToken, int? timeoutSeconds = null, TimeSpan? patience = null) => AskAsync(async () =>
    {
        for (var attempt = 1; ; attempt++)
        {
            await using var connection = await _source.OpenConnectionAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            try
            {
                var result = await work(new Sql(connection, transaction, cancellationToken) { TimeoutSeconds = timeoutSeconds });
                await transaction.CommitAsync(cancellationToken);
                return result;
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.UniqueViolation && attempt < DecideAttempts)
            {
                // Another decision took the version; all was rolled back, and the next is free.
            }
        }
    }, patience);

    internal sealed class Sql(NpgsqlConnection connection, NpgsqlTransaction transaction, CancellationToken cancellationToken)
        : ModerationSql(connection, transaction, cancellationToken)
    {
        protected override string UserColumn => "user_id collate \"C\"";

        // The index has another collation.
        protected override string LooseUserColumn => "e.user_id";

        protected override string LastOfUserSql => """
            select e.version from heart_event e where e.user_id collate "C" = given.user_id and e.xid >= given.xid and e.target is not distinct from h.target order by e.xid desc, e.version desc limit 1
            """;

        public override async Task LockAsync()
        {
            await using var command = new NpgsqlCommand("select pg_advisory_xact_lock(7521862, 8)", connection, transaction);
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        public override async Task<long> DecideAsync(Decision decision)
        {
            await using var command = new NpgsqlCommand(DecideSql, connection, transaction);
            command.Parameters.AddRange(DecisionParameters(decision));
            await command.ExecuteNonQueryAsync(Cancellation);
            await using var find = new NpgsqlCommand(FindDecisionSql, connection, transaction);
            find.Parameters.Add(Value(decision.Id));
            await using var row = await find.ExecuteReaderAsync(Cancellation);
            await row.ReadAsync(Cancellation);
            return row.GetInt64(1);
        }

        protected override object Key(Guid id) => id;

        protected override Guid ReadKey(DbDataReader row, int column) => row.GetGuid(column);
    }
}
