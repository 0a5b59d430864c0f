using HeartGrains.Audit;
using HeartGrains.Hearts;
using Npgsql;

namespace HeartGrains.Ledger.Postgres;

/// <summary>The log over all targets: in the order of transactions.</summary>
public sealed partial class PostgresLedger
{
    private const int DecideAttempts = 20;

    private const string Columns =
        "xid, target, version, target_id, heart, user_id, kind, at_micros, writer, actor, cause, network, network_mac, job, about, detail";

    // $1, $2, $3: after which place; $4: up to which; $5: how many.
    private const string Place = "xid >= $1::text::xid8 and (xid, target, version) > ($1::text::xid8, $2, $3) and xid <= $4::text::xid8";
    private const string InOrder = "order by xid, target, version limit $5";

    private static readonly string ReadSql = Named($"select {Columns} from heart_event where {Place} {InOrder}");
    private static readonly string ReadUserSql = Named($"select {Columns} from heart_event where user_id collate \"C\" = $6 and {Place} {InOrder}");

    // $6: the target; $7: its version to begin above. A target's versions are in the log's order.
    private static readonly string ReadTargetSql = Named($"""
        select * from (select {Columns} from heart_event where target = $6 and version > $7 and {Place} order by version limit $5) hearts
        union all
        select * from (select {Columns} from heart_event where about = $6 and {Place} {InOrder}) decisions
        {InOrder}
        """);

    private static readonly string ReadTargetAndUserSql = Named(
        $"select {Columns} from heart_event where user_id collate \"C\" = $7 and (target = $6 or about = $6) and {Place} {InOrder}");

    // Written once: by its number. The stream's key refuses a version that another decision took meanwhile.
    internal const string DecideSql = """
        insert into heart_event (target, heart, version, writer, at_micros, kind, user_id, target_id, actor, network, network_mac, job, about, detail)
        select '00000000-0000-0000-0000-000000000000', $2, next.version, $1, $3, 3, $4, case when next.version = 1 then '' end, $5, $6, $7, $8, $9, $10
          from (select coalesce(max(version), 0) + 1 as version from heart_event where target = '00000000-0000-0000-0000-000000000000') next
         where not exists (select from heart_event where kind = 3 and writer = $1)
        """;

    internal const string FindDecisionSql = "select xid::text::bigint, version from heart_event where kind = 3 and writer = $1";

    /// <inheritdoc/>
    public ValueTask<long> FindHorizonAsync(CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var command = _source.CreateCommand("select heart_horizon()::text::bigint - 1");
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    });

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<LoggedEvent>> ReadAsync(
        EventPosition after, long horizon, EventFilter filter, int limit, CancellationToken cancellationToken) => AskAsync<IReadOnlyList<LoggedEvent>>(async () =>
    {
        List<NpgsqlParameter> parameters = [Value(after.Order), Value(after.Target), Value(after.Version), Value(horizon), Value(limit)];
        if (filter.Target is { } target) parameters.Add(Value(target));
        if (filter.UserId is { } user) parameters.Add(Value(user));
        else if (filter.Target == after.Target) parameters.Add(Value(after.Version));
        else if (filter.Target is not null) parameters.Add(Value(0L));
        var sql = filter switch
        {
            { Target: null, UserId: null } => ReadSql,
            { Target: null } => ReadUserSql,
            { UserId: null } => ReadTargetSql,
            _ => ReadTargetAndUserSql,
        };
        return await QueryAsync(sql, [.. parameters], ReadLogged, cancellationToken);
    });

    /// <inheritdoc/>
    public ValueTask<EventPosition> DecideAsync(Decision decision, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await using var command = Command(DecideSql, DecisionParameters(decision));
                await command.ExecuteNonQueryAsync(cancellationToken);
                break;
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.UniqueViolation && attempt < DecideAttempts)
            {
                // Another decision came first; the next number is free.
            }
        }

        var written = await QueryAsync(FindDecisionSql, [Value(decision.Id)], row => new EventPosition(row.GetInt64(0), Decision.Desk, row.GetInt64(1)), cancellationToken);
        return written[0];
    });

    private static NpgsqlParameter[] DecisionParameters(Decision decision)
    {
        var origin = OriginColumns.Of(decision.Origin);
        return
        [
            Value(decision.Id), Value(decision.User.ToGuid()), Value(decision.AtMicros), Value(decision.UserId), Value(origin.Actor), Value(origin.Network),
            Value<long?>(origin.Network is null ? null : decision.NetworkMac), Value(origin.Job), Value(decision.About), Value(decision.Detail),
        ];
    }

    /// <summary>A target's name stands in its first event alone.</summary>
    private static string Named(string events) => $"""
        select e.xid::text::bigint, e.target, e.version, coalesce(e.target_id, first.target_id), e.heart, e.user_id, e.kind, e.at_micros, e.writer, e.actor, e.cause, e.network, e.network_mac, e.job,
               e.about, e.detail
          from ({events}) e
          join heart_event first on first.target = e.target and first.version = 1
         order by e.xid, e.target, e.version
        """;

    private static LoggedEvent ReadLogged(NpgsqlDataReader row) => new(
        new EventPosition(row.GetInt64(0), row.GetGuid(1), row.GetInt64(2)),
        row.GetString(3),
        HeartId.FromGuid(row.GetGuid(4)),
        row.GetString(5),
        (HeartEventKind)row.GetInt16(6),
        row.GetInt64(7),
        row.GetInt64(8),
        new OriginColumns(Text(row, 9), row.IsDBNull(10) ? null : row.GetInt16(10), Text(row, 11), Text(row, 13)).ToOrigin(),
        row.IsDBNull(12) ? 0 : row.GetInt64(12),
        row.IsDBNull(14) ? null : row.GetGuid(14),
        Text(row, 15));

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
