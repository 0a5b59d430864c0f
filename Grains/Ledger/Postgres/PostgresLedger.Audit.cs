using System.Data;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using Npgsql;

namespace HeartGrains.Ledger.Postgres;

/// <summary>What is stored of targets, for comparing it with the log, and making it anew.</summary>
public sealed partial class PostgresLedger
{
    private const string StoredTargetSql = """
        select t.target_id, coalesce(t.count, 0), coalesce(t.version, 0), f.xid::text::bigint
          from heart_fold f left join heart_target t on t.target = $1
        """;

    // One look into an index for each target, whatever it holds.
    private const string ListTargetsSql = """
        with recursive next (target) as (
            select least((select target from heart_event where target > $1 order by target limit 1), (select target from heart_target where target > $1 order by target limit 1),
                         (select target from heart_rule where target > $1 order by target limit 1), (select about from heart_event where about > $1 order by about limit 1))
            union all
            select least((select target from heart_event where target > next.target order by target limit 1), (select target from heart_target where target > next.target order by target limit 1),
                         (select target from heart_rule where target > next.target order by target limit 1), (select about from heart_event where about > next.target order by about limit 1))
              from next where next.target is not null
        )
        select target from next where target is not null limit $2
        """;

    internal const string FindDecisionsSql = "select detail from heart_event where kind = 3 and job = $1";

    private const string RebuildSql = """
        with folded as materialized (select xid from heart_fold),
        latest as materialized (
            select distinct on (heart) heart, version, at_micros, kind
              from heart_event
             where target = $1 and xid <= (select xid from folded)
             order by heart, version desc
        ), gone as (
            delete from heart_current c
             where c.target = $1 and not exists (select from latest l where l.heart = c.heart and l.kind = 1)
        ), given as (
            insert into heart_current as c (target, heart, version, at_micros)
            select $1, heart, version, at_micros from latest where kind = 1 order by heart
                on conflict (target, heart) do update set version = excluded.version, at_micros = excluded.at_micros
        )
        select (select count(*) from latest where kind = 1), (select max(version) from latest),
               (select target_id from heart_event where target = $1 and version = 1)
        """;

    private const string AsOfSql = """
        with last as materialized (
            select version from heart_event where target = $1 and at_micros <= $2 order by version desc limit 1
        )
        select coalesce((select version from last), 0),
               coalesce((select sum(case kind when 1 then 1 else -1 end) from heart_event where target = $1 and version <= (select version from last)), 0)::bigint
        """;

    private const string OpeningSql = """
        with decided as materialized (
            select version, at_micros, detail::jsonb as detail from heart_event where about = $1 and kind = 3 and starts_with(detail, '{"action":"opening_set"')
        )
        select coalesce((select opening from heart_opening where target = $1), 0),
               coalesce((select (detail ->> 'opening')::bigint from decided where at_micros <= $2 order by version desc limit 1),
                        (select (detail ->> 'opening_before')::bigint from decided where at_micros > $2 order by version limit 1))
        """;

    /// <inheritdoc/>
    public async ValueTask ScanTargetAsync(Guid target, ITargetReader reader, CancellationToken cancellationToken) => await AskAsync(async () =>
    {
        await using var connection = await _source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        var version = 0L;
        await ReadAsync(StoredTargetSql, [], row =>
        {
            version = row.GetInt64(2);
            reader.Read(new StoredTarget(Text(row, 0), row.GetInt64(1), version, row.GetInt64(3)));
        });
        await ReadAsync(EventsSql("version <= $2"), [Value(version)], row => reader.Read(ReadRaw(row, isWhole: true)));
        await ReadAsync(
            "select heart, at_micros, version from heart_current where target = $1", [],
            row => reader.Read(new CurrentHeart(HeartId.FromGuid(row.GetGuid(0)), row.GetInt64(1), row.GetInt64(2))));
        await ReadAsync(EventsSql("version > $2"), [Value(version)], row => reader.Read(ReadRaw(row, isWhole: true)));
        return true;

        async Task ReadAsync(string sql, NpgsqlParameter[] more, Action<NpgsqlDataReader> read)
        {
            await using var command = LongCommand(connection, sql, [Value(target), .. more]);
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            while (await row.ReadAsync(cancellationToken)) read(row);
        }

        static string EventsSql(string which) => $"select {RawColumns} from heart_event where target = $1 and {which} order by version";
    }, Timeout.InfiniteTimeSpan);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Guid>> ListTargetsAsync(Guid after, int limit, CancellationToken cancellationToken) => AskAsync<IReadOnlyList<Guid>>(async () =>
        await QueryAsync(ListTargetsSql, [Value(after), Value(limit)], static row => row.GetGuid(0), cancellationToken));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyDictionary<Guid, string>> FindNamesAsync(IReadOnlyCollection<Guid> targets, CancellationToken cancellationToken) =>
        AskAsync<IReadOnlyDictionary<Guid, string>>(async () => (await QueryAsync(
            "select target, target_id from heart_event where target = any($1) and version = 1",
            [Value(targets.ToArray())],
            static row => KeyValuePair.Create(row.GetGuid(0), row.GetString(1)),
            cancellationToken)).ToDictionary());

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> FindDecisionsAsync(string job, CancellationToken cancellationToken) => AskAsync<IReadOnlyList<string>>(async () =>
        await QueryAsync(FindDecisionsSql, [Value(job)], static row => row.GetString(0), cancellationToken));

    /// <inheritdoc/>
    public async ValueTask RebuildAsync(Guid target, CancellationToken cancellationToken) => await AskAsync(async () =>
    {
        await using var connection = await _source.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);

        // No fold meanwhile: it would count what is counted here, or what is not yet. Its own lock is shared by nobody, so a fold under way is waited for.
        await ExecuteAsync("set local lock_timeout = '30s'", []);
        await ExecuteAsync("select pg_advisory_xact_lock(7521862, 2)", []);
        var (count, version, name) = (0L, 0L, (string?)null);
        await using (var command = LongCommand(connection, RebuildSql, [Value(target)]))
        await using (var row = await command.ExecuteReaderAsync(cancellationToken))
        {
            await row.ReadAsync(cancellationToken);
            (count, version, name) = (row.GetInt64(0), row.IsDBNull(1) ? 0 : row.GetInt64(1), Text(row, 2));
        }

        if (version == 0) await ExecuteAsync("delete from heart_target where target = $1", [Value(target)]);
        else
        {
            await ExecuteAsync(
                """
                insert into heart_target as t (target, count, version, target_id) values ($1, $2, $3, coalesce($4, ''))
                    on conflict (target) do update set count = excluded.count, version = excluded.version, target_id = coalesce($4, t.target_id)
                """,
                [Value(target), Value(count), Value(version), Value(name)]);
        }

        await transaction.CommitAsync(cancellationToken);
        return true;

        async Task ExecuteAsync(string sql, NpgsqlParameter[] parameters)
        {
            await using var command = LongCommand(connection, sql, parameters);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }, Timeout.InfiniteTimeSpan);

    /// <inheritdoc/>
    public ValueTask<TargetAt> FindAsOfAsync(Guid target, long atMicros, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var command = Command(AsOfSql, [Value(target), Value(atMicros)]);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return new TargetAt(true, row.GetInt64(1), row.GetInt64(0));
    });

    /// <inheritdoc/>
    public ValueTask<OpeningAt> FindOpeningAsync(Guid target, long atMicros, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var command = Command(OpeningSql, [Value(target), Value(atMicros)]);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return new OpeningAt(row.GetInt64(0), row.IsDBNull(1) ? null : row.GetInt64(1));
    });

    /// <inheritdoc/>
    public ValueTask<RuleOrders> FindRuleOrdersAsync(Guid target, CancellationToken cancellationToken) => ModerateAsync(sql => sql.FindRuleOrdersAsync(target), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<BlockOrders> FindBlockOrdersAsync(HeartId user, CancellationToken cancellationToken) => ModerateAsync(sql => sql.FindBlockOrdersAsync(user), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<long> CountStrayBlocksAsync(long nowMicros, CancellationToken cancellationToken) => ModerateAsync(sql => sql.CountStrayBlocksAsync(nowMicros), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<WatchPlace?> TryTakeTurnAsync(long nowMicros, long untilMicros, CancellationToken cancellationToken) => AskAsync<WatchPlace?>(async () =>
    {
        var taken = await QueryAsync(
            "update heart_watch set until_micros = $2 where until_micros <= $1 returning block, target",
            [Value(nowMicros), Value(untilMicros)],
            static row => new WatchPlace(row.GetInt64(0), row.GetGuid(1)),
            cancellationToken);
        return taken.Count == 0 ? null : taken[0];
    });

    /// <inheritdoc/>
    public async ValueTask EndTurnAsync(WatchPlace place, long nextMicros, CancellationToken cancellationToken) => await AskAsync(async () =>
    {
        await using var command = Command(
            "update heart_watch set block = $1, target = $2, until_micros = $3", [Value(place.Block), Value(place.Target), Value(nextMicros)]);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    });
}
