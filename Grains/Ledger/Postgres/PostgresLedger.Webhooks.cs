using HeartGrains.Audit;
using HeartGrains.Webhooks;
using Npgsql;

namespace HeartGrains.Ledger.Postgres;

/// <summary>What webhooks have yet to tell.</summary>
public sealed partial class PostgresLedger : IWebhookStore
{
    private const string AdvanceSql = """
        with place as (
            insert into heart_webhook (endpoint, xid, target, version) values ($1, $2::text::xid8, $3, $4)
                on conflict (endpoint) do update set xid = excluded.xid, target = excluded.target, version = excluded.version
        )
        insert into heart_webhook_target as w (endpoint, target, target_id, change, due_micros, attempts, since_micros)
        select $1, c.target, c.target_id, 1, c.due, 0, 0 from unnest($5, $6, $7) c (target, target_id, due) order by c.target
            on conflict (endpoint, target) do update
               set change = w.change + 1,
                   due_micros = coalesce(w.due_micros, excluded.due_micros),
                   attempts = case when w.due_micros is null then 0 else w.attempts end,
                   since_micros = case when w.due_micros is null then 0 else w.since_micros end
        """;

    private const string DeliveredSql = """
        with gone as (delete from heart_webhook_target where endpoint = $1 and target = $2 and change = $3)
        update heart_webhook_target set due_micros = $4, attempts = 0, since_micros = 0, error = null where endpoint = $1 and target = $2 and change <> $3
        """;

    /// <inheritdoc/>
    public ValueTask<EventPosition?> FindPlaceAsync(string endpoint, CancellationToken cancellationToken) => AskAsync<EventPosition?>(async () =>
    {
        var found = await QueryAsync(
            "select xid::text::bigint, target, version from heart_webhook where endpoint = $1", [Value(endpoint)],
            row => new EventPosition(row.GetInt64(0), row.GetGuid(1), row.GetInt64(2)), cancellationToken);
        return found.Count == 0 ? null : found[0];
    });

    /// <inheritdoc/>
    public ValueTask AdvanceAsync(string endpoint, EventPosition place, IReadOnlyList<ChangedTarget> changed, CancellationToken cancellationToken) => DoAsync(
        AdvanceSql,
        [
            Value(endpoint), Value(place.Order), Value(place.Target), Value(place.Version),
            Value(changed.Select(target => target.Target).ToArray()), Value(changed.Select(target => target.TargetId).ToArray()), Value(changed.Select(target => target.DueMicros).ToArray()),
        ],
        cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<WaitingTarget>> ListDueAsync(string endpoint, long nowMicros, int limit, CancellationToken cancellationToken) =>
        AskAsync<IReadOnlyList<WaitingTarget>>(async () => await QueryAsync(
            "select target, target_id, change, attempts, since_micros from heart_webhook_target where endpoint = $1 and due_micros <= $2 order by due_micros limit $3",
            [Value(endpoint), Value(nowMicros), Value(limit)],
            row => new WaitingTarget(row.GetGuid(0), row.GetString(1), row.GetInt64(2), row.GetInt32(3), row.GetInt64(4)),
            cancellationToken));

    /// <inheritdoc/>
    public ValueTask DeliveredAsync(string endpoint, WaitingTarget waiting, long nextMicros, CancellationToken cancellationToken) =>
        DoAsync(DeliveredSql, [Value(endpoint), Value(waiting.Target), Value(waiting.Change), Value(nextMicros)], cancellationToken);

    /// <inheritdoc/>
    public ValueTask FailedAsync(string endpoint, WaitingTarget waiting, long sinceMicros, long? nextMicros, string error, CancellationToken cancellationToken) => DoAsync(
        "update heart_webhook_target set due_micros = $3, attempts = $4, since_micros = $5, error = $6 where endpoint = $1 and target = $2",
        [Value(endpoint), Value(waiting.Target), Value(nextMicros), Value(waiting.Attempts + 1), Value(sinceMicros), Value(error)],
        cancellationToken);

    /// <inheritdoc/>
    public ValueTask<(long Pending, long Failing, long Dead)> CountAsync(string endpoint, CancellationToken cancellationToken) => AskAsync(async () => (await QueryAsync(
        "select count(due_micros), count(*) filter (where due_micros is not null and attempts > 0), count(*) filter (where due_micros is null) from heart_webhook_target where endpoint = $1",
        [Value(endpoint)],
        row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2)),
        cancellationToken))[0]);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DeadLetter>> ListDeadAsync(string endpoint, string after, int limit, CancellationToken cancellationToken) =>
        AskAsync<IReadOnlyList<DeadLetter>>(async () => await QueryAsync(
            """
            select target_id, attempts, since_micros, coalesce(error, '') from heart_webhook_target
             where endpoint = $1 and due_micros is null and target_id collate "C" > $2 order by target_id collate "C" limit $3
            """,
            [Value(endpoint), Value(after), Value(limit)],
            row => new DeadLetter(row.GetString(0), row.GetInt32(1), row.GetInt64(2), row.GetString(3)),
            cancellationToken));

    /// <inheritdoc/>
    public ValueTask<int> ResendAsync(string endpoint, string? targetId, long dueMicros, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var command = Command(
            """
            update heart_webhook_target set due_micros = $3, attempts = 0, since_micros = 0
             where endpoint = $1 and due_micros is null and ($2::text is null or target_id collate "C" = $2)
            """,
            [Value(endpoint), Value(targetId), Value(dueMicros)]);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    });

    private async ValueTask DoAsync(string sql, NpgsqlParameter[] parameters, CancellationToken cancellationToken) => await AskAsync(async () =>
    {
        await using var command = Command(sql, parameters);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    });
}
