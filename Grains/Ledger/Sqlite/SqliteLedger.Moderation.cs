using System.Data.Common;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Moderation;
using Microsoft.Data.Sqlite;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>What operators told targets and users: changed on the connection that writes, in turn with appends, and read beside them.</summary>
public sealed partial class SqliteLedger : IModerationStore
{
    /// <inheritdoc/>
    public ValueTask<RuleChange> FreezeAsync(Guid target, string targetId, bool isFrozen, string reason, Decision decision, CancellationToken cancellationToken) =>
        ModerateAsync(sql => sql.FreezeAsync(target, targetId, isFrozen, reason, decision), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<RuleChange> RedirectAsync(
        Guid target, string targetId, Guid to, string toId, string reason, Decision decision, CancellationToken cancellationToken) =>
        ModerateAsync(sql => sql.RedirectAsync(target, targetId, to, toId, reason, decision), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<TargetRule?> FindRuleAsync(Guid target, CancellationToken cancellationToken) => LookAsync(sql => sql.FindRuleAsync(target), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long> MoveOpeningAsync(Guid from, string fromId, Guid to, string toId, OpeningDecision decide, CancellationToken cancellationToken) =>
        ModerateAsync(sql => sql.MoveOpeningAsync(from, fromId, to, toId, decide), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long> CountMovedAsync(Guid target, string job, CancellationToken cancellationToken) => LookAsync(sql => sql.CountMovedAsync(target, job), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<BlockChange> BlockAsync(HeartId user, long untilMicros, Decision decision, CancellationToken cancellationToken) =>
        ModerateAsync(sql => sql.BlockAsync(user, untilMicros, decision), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<BlockEntry>> ReadBlocksAsync(long after, int limit, CancellationToken cancellationToken) =>
        LookAsync(sql => sql.ReadBlocksAsync(after, limit), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<BlockedUser>> ListBlocksAsync(long after, long nowMicros, int limit, CancellationToken cancellationToken) =>
        LookAsync(sql => sql.ListBlocksAsync(after, nowMicros, limit), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<LoggedEvent>> ListLatestAsync(Guid target, string userId, int limit, CancellationToken cancellationToken) =>
        new(Read((target, userId, limit), static (reader, asked) => reader.Log.ReadLatest(asked.target, asked.userId, asked.limit)));

    /// <inheritdoc/>
    public ValueTask<long?> FindOldestUnfoldedAsync(CancellationToken cancellationToken) => new(Read(0, static (reader, _) => reader.Log.FindOldestUnfolded()));

    /// <inheritdoc/>
    public async ValueTask OpenQuarantineAsync(Quarantine quarantine, Decision decision, CancellationToken cancellationToken) =>
        await ModerateAsync(sql => sql.OpenQuarantineAsync(quarantine, decision), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Quarantine?> FindQuarantineAsync(string id, CancellationToken cancellationToken) => LookAsync(sql => sql.FindQuarantineAsync(id), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> AdvanceQuarantineAsync(string id, QuarantineState from, QuarantineState to, Decision? decision, CancellationToken cancellationToken) =>
        ModerateAsync(sql => sql.AdvanceQuarantineAsync(id, from, to, decision), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask HoldAsync(string id, IReadOnlyList<HeldHeart> hearts, CancellationToken cancellationToken) =>
        await ModerateAsync(sql => sql.HoldAsync(id, hearts), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<HeldState>> ReadHeldAsync(string id, int limit, CancellationToken cancellationToken) =>
        LookAsync(sql => sql.ReadHeldAsync(id, limit), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<HeldState>> ReadHeldAsync(string id, IReadOnlyList<HeldHeart> hearts, CancellationToken cancellationToken) =>
        LookAsync(sql => sql.ReadHeldAsync(id, hearts), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask ForgetHeldAsync(string id, IReadOnlyList<HeldHeart> hearts, int released, int skipped, CancellationToken cancellationToken) =>
        await ModerateAsync(sql => sql.ForgetHeldAsync(id, hearts, released, skipped), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<string?> FindHoldAsync(Guid target, HeartId heart, CancellationToken cancellationToken) =>
        LookAsync(sql => sql.FindHoldAsync(target, heart), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<BlockedUser?> FindBlockAsync(HeartId user, long nowMicros, CancellationToken cancellationToken) =>
        LookAsync(sql => sql.FindBlockAsync(user, nowMicros), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<UserHolds>> ListHoldsAsync(string userId, int limit, CancellationToken cancellationToken) =>
        LookAsync(sql => sql.ListHoldsAsync(userId, limit), cancellationToken);

    private async ValueTask<T> ModerateAsync<T>(Func<ModerationSql, Task<T>> work, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (_writer is null) throw NotOpen();
            await using var transaction = _writer.Begin();
            var result = await work(new Sql(_writer.Connection, transaction, _writer, cancellationToken));
            await transaction.CommitAsync(CancellationToken.None);
            return result;
        }
        catch (SqliteException error)
        {
            throw CannotAnswer(error);
        }
        finally
        {
            _writing.Release();
        }
    }

    private ValueTask<T> LookAsync<T>(Func<ModerationSql, Task<T>> work, CancellationToken cancellationToken) =>
        new(Read((work, cancellationToken), static (reader, asked) => Ended(asked.work(new Sql(reader.Connection, null, null, asked.cancellationToken)))));

    internal sealed class Sql(SqliteConnection connection, SqliteTransaction? transaction, SqliteWriter? writer, CancellationToken cancellationToken)
        : ModerationSql(connection, transaction, cancellationToken)
    {
        protected override string UserColumn => "user_id";

        protected override string LooseUserColumn => "+e.user_id";

        protected override string LastOfUserSql =>
            "select e.version from heart_event e where e.user_id = given.user_id and e.seq >= given.seq and +e.target = h.target order by e.seq desc limit 1";

        // Whoever writes is alone.
        public override Task LockAsync() => Task.CompletedTask;

        public override Task<long> DecideAsync(Decision decision) => Task.FromResult(writer!.Decide(decision, transaction!).Version);

        protected override object Key(Guid id) => id.ToByteArray(bigEndian: true);

        protected override Guid ReadKey(DbDataReader row, int column) => new(row.GetFieldValue<byte[]>(column), bigEndian: true);
    }
}
