using HeartGrains.Hearts;
using HeartGrains.Moderation;
using Npgsql;

namespace HeartGrains.Ledger.Postgres;

/// <summary>Every read is one statement, so it sees one snapshot.</summary>
public sealed partial class PostgresLedger
{
    private const string FindVersionsSql = """
        select e.target, e.version, e.writer
          from unnest($1, $2) as key (target, version)
          join heart_event e on e.target = key.target and e.version = key.version
        """;

    // Five kinds of rows in one answer, in this order: the projection (0), its newest hearts (1), the log behind it (2), the opening (3), the rule (4). The newest
    // are all there are, or else those that stand in the newest part of the log.
    private const string LoadSql = """
        with folded as materialized (select count, version from heart_target where target = $1)
        select 0, f.version, f.count, null::uuid, 0::bigint, 0::smallint, null::text, null::text from folded f
        union all
        (select 1, c.version, c.at_micros, c.heart, 0, 0, null, null
           from heart_current c
          where c.target = $1 and (select count from folded) <= $2 order by c.version desc)
        union all
        (select 1, e.version, e.at_micros, e.heart, 0, 0, null, null
           from heart_event e
          where e.target = $1 and (select count from folded) > $2
            and e.version <= (select version from folded) and e.version > (select version from folded) - 4::bigint * $2
            and (select c.version from heart_current c where c.target = e.target and c.heart = e.heart) = e.version
          order by e.version desc limit $2)
        union all
        (select 2, e.version, e.at_micros, e.heart, e.writer, e.kind, e.user_id, e.target_id
           from heart_event e
          where e.target = $1 and e.version > coalesce((select version from folded), 0) order by e.version)
        union all
        select 3, 0, o.opening, null, 0, 0, null, null from heart_opening o where o.target = $1
        union all
        select 4, 0, r.at_micros, null, 0, r.frozen, r.reason, r.moved_to from heart_rule r where r.target = $1 and (r.frozen = 1 or r.moved_to is not null)
        """;

    // The unfolded log comes first and decides, if it knows the heart.
    private const string FindHeartSql = """
        (select e.version, e.at_micros, e.kind
           from heart_event e
          where e.target = $1 and e.heart = $2
            and e.version > coalesce((select version from heart_target where target = $1), 0)
          order by e.version desc limit 1)
        union all
        select c.version, c.at_micros, 1::smallint from heart_current c where c.target = $1 and c.heart = $2
        """;

    // First where the page begins, then the page.
    private static readonly string ListUsersSql = $"""
        with top as materialized (select least($2, version + 1) as before from heart_target where target = $1)
        select null::text, null::uuid, before, 0::bigint from top
        union all
        (select e.user_id, e.heart, e.version, e.at_micros
           from heart_event e
          where e.target = $1
            and e.version < (select before from top) and e.version >= (select before from top) - {HeartUserPage.Window}
            and (select c.version from heart_current c where c.target = e.target and c.heart = e.heart) = e.version
          order by e.version desc limit $3)
        """;

    private const string ListTopSql =
        "select target_id, count, version from heart_target where count > 0 order by count desc, target limit $1";

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<WrittenVersion>> FindVersionsAsync(ReadOnlyMemory<HeartEvent> batch, CancellationToken cancellationToken)
    {
        var targets = new Guid[batch.Length];
        var versions = new long[batch.Length];
        for (var i = 0; i < batch.Length; i++)
        {
            targets[i] = batch.Span[i].Target;
            versions[i] = batch.Span[i].Version;
        }

        return AskAsync<IReadOnlyList<WrittenVersion>>(async () => await QueryAsync(
            FindVersionsSql,
            [Value(targets), Value(versions)],
            row => new WrittenVersion(row.GetGuid(0), row.GetInt64(1), row.GetInt64(2)),
            cancellationToken));
    }

    /// <inheritdoc/>
    public ValueTask<TargetSnapshot> LoadAsync(Guid target, int recentLimit, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var command = Command(LoadSql, [Value(target), Value(recentLimit)]);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var (count, version, opening) = (0L, 0L, 0L);
        var recent = new List<CurrentHeart>();
        var tail = new List<HeartEvent>();
        TargetRule? rule = null;
        while (await row.ReadAsync(cancellationToken))
        {
            switch (row.GetInt32(0))
            {
                case 0:
                    (version, count) = (row.GetInt64(1), row.GetInt64(2));
                    break;
                case 1:
                    recent.Add(new CurrentHeart(HeartId.FromGuid(row.GetGuid(3)), row.GetInt64(2), row.GetInt64(1)));
                    break;
                case 3:
                    opening = row.GetInt64(2);
                    break;
                case 4:
                    rule = new TargetRule(row.GetInt16(5) == 1, Text(row, 7), row.GetString(6), row.GetInt64(2));
                    break;
                default:
                    tail.Add(ReadEvent(target, row));
                    break;
            }
        }

        return new TargetSnapshot(count, version, recent, tail, opening, rule);
    });

    /// <inheritdoc/>
    public ValueTask<CurrentHeart?> FindHeartAsync(Guid target, HeartId heart, CancellationToken cancellationToken) =>
        AskAsync<CurrentHeart?>(async () =>
        {
            await using var command = Command(FindHeartSql, [Value(target), Value(heart.ToGuid())]);
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            if (!await row.ReadAsync(cancellationToken) || row.GetInt16(2) != (short)HeartEventKind.Given)
                return null;
            return new CurrentHeart(heart, row.GetInt64(1), row.GetInt64(0));
        });

    /// <inheritdoc/>
    public ValueTask<HeartUserPage> ListUsersAsync(Guid target, long before, int limit, CancellationToken cancellationToken) =>
        AskAsync(async () =>
        {
            await using var command = Command(ListUsersSql, [Value(target), Value(before), Value(limit)]);
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            if (!await row.ReadAsync(cancellationToken))
                return new HeartUserPage([], 1);

            var floor = HeartUserPage.FloorBelow(row.GetInt64(2));
            var users = new List<HeartUser>();
            while (await row.ReadAsync(cancellationToken))
                users.Add(new HeartUser(row.GetString(0), HeartId.FromGuid(row.GetGuid(1)), row.GetInt64(2), row.GetInt64(3)));
            return new HeartUserPage([.. users], floor);
        });

    /// <inheritdoc/>
    public ValueTask<TopTarget[]> ListTopAsync(int limit, CancellationToken cancellationToken) =>
        AskAsync<TopTarget[]>(async () => [.. await QueryAsync(
            ListTopSql,
            [Value(limit)],
            row => new TopTarget(row.GetString(0), row.GetInt64(1), row.GetInt64(2)),
            cancellationToken)]);

    private static HeartEvent ReadEvent(Guid target, NpgsqlDataReader row) => new(
        target,
        row.GetInt64(1),
        row.IsDBNull(7) ? string.Empty : row.GetString(7),
        HeartId.FromGuid(row.GetGuid(3)),
        row.GetString(6),
        (HeartEventKind)row.GetInt16(5),
        row.GetInt64(2),
        row.GetInt64(4));

    private static NpgsqlParameter<T> Value<T>(T value) => new() { TypedValue = value };

    private NpgsqlCommand Command(string sql, ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = _source.CreateCommand(sql);
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        return command;
    }

    private async Task<List<T>> QueryAsync<T>(
        string sql, NpgsqlParameter[] parameters, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var command = Command(sql, parameters);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await row.ReadAsync(cancellationToken))
            rows.Add(read(row));
        return rows;
    }
}
