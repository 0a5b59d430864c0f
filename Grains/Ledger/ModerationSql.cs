using System.Data.Common;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Moderation;

namespace HeartGrains.Ledger;

/// <summary>
/// Moderation in SQL that PostgreSQL and SQLite both understand, within one transaction, or none for what only reads. They differ in how they take 128-bit keys, and in how a decision is written.
/// </summary>
internal abstract partial class ModerationSql(DbConnection connection, DbTransaction? transaction, CancellationToken cancellationToken)
{
    private const string RuleColumns = "frozen, moved_to, reason, at_micros";

    protected DbConnection Connection => connection;

    protected CancellationToken Cancellation => cancellationToken;

    /// <summary>What a statement may take; null for what connections allow.</summary>
    public int? TimeoutSeconds { get; init; }

    /// <summary>Keeps other changes out until the end, so that what was read still holds when it is written.</summary>
    public abstract Task LockAsync();

    /// <summary>Writes the decision, once. Returns its version.</summary>
    public abstract Task<long> DecideAsync(Decision decision);

    /// <summary>A column as the index on it is made.</summary>
    protected abstract string UserColumn { get; }

    /// <summary>The user of <c>e</c>, in a form that keeps the index on it from being used.</summary>
    protected abstract string LooseUserColumn { get; }

    protected abstract object Key(Guid id);

    protected abstract Guid ReadKey(DbDataReader row, int column);

    public async Task<RuleChange> FreezeAsync(Guid target, string targetId, bool isFrozen, string reason, Decision decision)
    {
        await LockAsync();
        var rule = await FindRuleAsync(target);
        if ((rule?.IsFrozen ?? false) == isFrozen) return new RuleChange(false, rule);
        await ExecuteAsync(
            """
            insert into heart_rule (target, target_id, frozen, reason, at_micros) values (@target, @name, @frozen, @reason, @at)
                on conflict (target) do update set frozen = excluded.frozen, reason = excluded.reason, at_micros = excluded.at_micros
            """,
            ("target", Key(target)), ("name", targetId), ("frozen", isFrozen ? 1 : 0), ("reason", reason), ("at", decision.AtMicros));
        await DecideAsync(decision);
        return new RuleChange(true, await FindRuleAsync(target));
    }

    public async Task<RuleChange> RedirectAsync(Guid target, string targetId, Guid to, string toId, string reason, Decision decision)
    {
        await LockAsync();
        var rule = await FindRuleAsync(target);
        var isThere = false;
        for (var hops = 0; ; hops++)
        {
            isThere |= rule?.MovedTo == toId;
            if (to == target) return new RuleChange(false, rule, RuleRefusal.Cycle);
            if (await FindMoveAsync(to) is not { } next) break;
            if (hops == ModerationLimits.Chain) return new RuleChange(false, rule, RuleRefusal.ChainTooLong);
            (to, toId) = next;
        }

        if (rule?.MovedTo is not null) return new RuleChange(false, rule, isThere ? RuleRefusal.None : RuleRefusal.MovedElsewhere);
        if (await MeasureChainAsync(target) >= ModerationLimits.Chain) return new RuleChange(false, rule, RuleRefusal.ChainTooLong);
        await ExecuteAsync(
            """
            insert into heart_rule (target, target_id, frozen, moved_to, moved_key, reason, at_micros) values (@target, @name, 0, @to_name, @to, @reason, @at)
                on conflict (target) do update set moved_to = excluded.moved_to, moved_key = excluded.moved_key, reason = excluded.reason, at_micros = excluded.at_micros
            """,
            ("target", Key(target)), ("name", targetId), ("to_name", toId), ("to", Key(to)), ("reason", reason), ("at", decision.AtMicros));
        await DecideAsync(decision);
        return new RuleChange(true, await FindRuleAsync(target));
    }

    public async Task<TargetRule?> FindRuleAsync(Guid target) => (await QueryAsync(
        $"select {RuleColumns} from heart_rule where target = @target and (frozen = 1 or moved_to is not null)",
        row => new TargetRule(row.GetInt32(0) == 1, row.IsDBNull(1) ? null : row.GetString(1), row.GetString(2), row.GetInt64(3)),
        ("target", Key(target)))).FirstOrDefault();

    public Task<long> CountMovedAsync(Guid target, string job) =>
        CountAsync("select count(*) from heart_event where target = @target and kind = 2 and job = @job", ("target", Key(target)), ("job", job));

    public async Task<BlockChange> BlockAsync(HeartId user, long untilMicros, Decision decision)
    {
        await LockAsync();
        var now = decision.AtMicros;
        var key = Key(user.ToGuid());
        var known = (await QueryAsync(
            "select until_micros, revision from heart_block where user_key = @user", row => (Until: row.GetInt64(0), Revision: row.GetInt64(1)), ("user", key))).FirstOrDefault();
        var isBlocked = known.Until > now;
        if (isBlocked ? known.Until == untilMicros : untilMicros == 0) return new BlockChange(false, known.Revision);
        if (!isBlocked && await CountAsync("select count(*) from heart_block where until_micros > @now", ("now", now)) >= ModerationLimits.Blocks)
            return new BlockChange(false, known.Revision, RuleRefusal.TooManyBlocks);

        // Who and why stand in the decision's event alone.
        var decided = await DecideAsync(decision);
        await ExecuteAsync("delete from heart_block where until_micros <= @old and changed_micros <= @old", ("old", now - ModerationLimits.EndedBlockMicros));
        await ExecuteAsync("update heart_block_revision set revision = revision + 1");
        await ExecuteAsync(
            """
            insert into heart_block (user_key, until_micros, changed_micros, revision, decided) values (@user, @until, @now, (select revision from heart_block_revision), @decided)
                on conflict (user_key) do update
                set until_micros = excluded.until_micros, changed_micros = excluded.changed_micros, revision = excluded.revision, decided = excluded.decided
            """,
            ("user", key), ("until", untilMicros), ("now", now), ("decided", decided));
        return new BlockChange(true, await CountAsync("select revision from heart_block_revision"));
    }

    public async Task<IReadOnlyList<BlockEntry>> ReadBlocksAsync(long after, int limit) => await QueryAsync(
        "select user_key, until_micros, revision from heart_block where revision > @after order by revision limit @limit",
        row => new BlockEntry(HeartId.FromGuid(ReadKey(row, 0)), row.GetInt64(1), row.GetInt64(2)),
        ("after", after), ("limit", limit));

    public async Task<IReadOnlyList<BlockedUser>> ListBlocksAsync(long after, long nowMicros, int limit) => await QueryAsync(
        """
        select e.user_id, b.until_micros, b.changed_micros, e.detail, e.actor, b.revision
          from heart_block b join heart_event e on e.target = @desk and e.version = b.decided
         where b.revision > @after and b.until_micros > @now order by b.revision limit @limit
        """,
        ReadBlocked,
        ("desk", Key(Decision.Desk)), ("after", after), ("now", nowMicros), ("limit", limit));

    public async Task<BlockedUser?> FindBlockAsync(HeartId user, long nowMicros) => (await QueryAsync(
        """
        select e.user_id, b.until_micros, b.changed_micros, e.detail, e.actor, b.revision
          from heart_block b join heart_event e on e.target = @desk and e.version = b.decided
         where b.user_key = @user and b.until_micros > @now
        """,
        ReadBlocked,
        ("desk", Key(Decision.Desk)), ("user", Key(user.ToGuid())), ("now", nowMicros))).FirstOrDefault();

    private static BlockedUser ReadBlocked(DbDataReader row) => new(
        row.GetString(0), row.GetInt64(1), row.GetInt64(2), ModerationDetail.ReasonOf(row.GetString(3)) ?? "",
        row.IsDBNull(4) ? HeartOrigin.Claimed.Actor : row.GetString(4), row.GetInt64(5));

    /// <summary>Where a target was moved.</summary>
    private async Task<(Guid, string)?> FindMoveAsync(Guid target) => (await QueryAsync(
        "select moved_key, moved_to from heart_rule where target = @target and moved_key is not null",
        row => ((Guid, string)?)(ReadKey(row, 0), row.GetString(1)),
        ("target", Key(target)))).FirstOrDefault();

    /// <summary>How many moves one after the other lead to a target.</summary>
    private Task<long> MeasureChainAsync(Guid target) => CountAsync(
        """
        with recursive chain (target, hops) as (
            select target, 1 from heart_rule where moved_key = @target
            union all
            select r.target, c.hops + 1 from heart_rule r join chain c on r.moved_key = c.target where c.hops < @limit
        )
        select coalesce(max(hops), 0) from chain
        """,
        ("target", Key(target)), ("limit", ModerationLimits.Chain));

    private async Task<long> CountAsync(string sql, params (string Name, object Value)[] values)
    {
        await using var command = Command(sql, values);
        return Convert.ToInt64(await command.ExecuteScalarAsync(cancellationToken));
    }

    private async Task<int> ExecuteAsync(string sql, params IReadOnlyList<(string Name, object Value)> values)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<List<T>> QueryAsync<T>(string sql, Func<DbDataReader, T> read, params IReadOnlyList<(string Name, object Value)> values)
    {
        await using var command = Command(sql, values);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await row.ReadAsync(cancellationToken)) rows.Add(read(row));
        return rows;
    }

    private DbCommand Command(string sql, IReadOnlyList<(string Name, object Value)> values)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = sql;
        if (TimeoutSeconds is { } seconds) command.CommandTimeout = seconds;
        foreach (var (name, value) in values)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value);
            command.Parameters.Add(parameter);
        }

        return command;
    }
}
