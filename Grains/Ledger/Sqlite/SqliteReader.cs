using HeartGrains.Hearts;
using HeartGrains.Moderation;
using Microsoft.Data.Sqlite;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>A connection that reads, with its statements prepared; each sees one snapshot. For one caller at a time.</summary>
internal sealed class SqliteReader : IDisposable
{
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _findVersion;
    private readonly SqliteCommand _load;
    private readonly SqliteCommand _findHeart;
    private readonly SqliteCommand _listUsers;
    private readonly SqliteCommand _listTop;

    public SqliteReader(SqliteConnection connection)
    {
        _connection = connection;
        Log = new SqliteLog(connection);
        Audit = new SqliteAudit(connection);
        Users = new SqliteUsers(connection);
        _findVersion = Prepare("select writer from heart_event where target = $target and version = $version", "$target", "$version");

        // Five kinds of rows in one answer, in this order: the projection (0), its newest hearts (1), the log behind it (2), the opening (3), the rule (4). The newest
        // are all there are, or else those that stand in the newest part of the log.
        _load = Prepare(
            """
            select 0, version, count, null, 0, 0, null, null from heart_target where target = $target
            union all
            select * from (select 1, version, at_micros, heart, 0, 0, null, null
                             from heart_current
                            where target = $target and (select count from heart_target where target = $target) <= $limit
                            order by version desc)
            union all
            select * from (select 1, e.version, e.at_micros, e.heart, 0, 0, null, null
                             from heart_event e
                            where e.target = $target and (select count from heart_target where target = $target) > $limit
                              and e.version <= (select version from heart_target where target = $target)
                              and e.version > (select version from heart_target where target = $target) - 4 * $limit
                              and (select c.version from heart_current c where c.target = e.target and c.heart = e.heart) = e.version
                            order by e.version desc limit $limit)
            union all
            select * from (select 2, version, at_micros, heart, writer, kind, user_id, target_id
                             from heart_event
                            where target = $target
                              and version > coalesce((select version from heart_target where target = $target), 0)
                            order by version)
            union all
            select 3, 0, opening, null, 0, 0, null, null from heart_opening where target = $target
            union all
            select 4, 0, at_micros, null, 0, frozen, reason, moved_to from heart_rule where target = $target and (frozen = 1 or moved_to is not null)
            """,
            "$target", "$limit");

        // The unfolded log comes first and decides, if it knows the heart.
        _findHeart = Prepare(
            """
            select * from (select version, at_micros, kind
                             from heart_event
                            where target = $target and heart = $heart
                              and version > coalesce((select version from heart_target where target = $target), 0)
                            order by version desc limit 1)
            union all
            select version, at_micros, 1 from heart_current where target = $target and heart = $heart
            """,
            "$target", "$heart");
        _listUsers = Prepare(
            $"""
            with top as materialized (select min($before, version + 1) as before from heart_target where target = $target)
            select null, null, before, 0 from top
            union all
            select * from (select e.user_id, e.heart, e.version, e.at_micros
                             from heart_event e
                            where e.target = $target
                              and e.version < (select before from top) and e.version >= (select before from top) - {HeartUserPage.Window}
                              and (select c.version from heart_current c where c.target = e.target and c.heart = e.heart) = e.version
                            order by e.version desc limit $limit)
            """,
            "$target", "$before", "$limit");
        _listTop = Prepare(
            "select target_id, count, version from heart_target where count > 0 order by count desc, target limit $limit", "$limit");
    }

    /// <summary>For statements that are rarely asked.</summary>
    public SqliteConnection Connection => _connection;

    /// <summary>The log over all targets.</summary>
    public SqliteLog Log { get; }

    /// <summary>What is compared with it.</summary>
    public SqliteAudit Audit { get; }

    /// <summary>The log as it concerns one user.</summary>
    public SqliteUsers Users { get; }

    public List<WrittenVersion> FindVersions(ReadOnlySpan<HeartEvent> batch)
    {
        // One transaction for one snapshot of all the keys.
        using var transaction = _connection.BeginTransaction(deferred: true);
        _findVersion.Transaction = transaction;
        var found = new List<WrittenVersion>();
        foreach (ref readonly var key in batch)
        {
            Set(_findVersion, Blob(key.Target), key.Version);
            if (_findVersion.ExecuteScalar() is long writer)
                found.Add(new WrittenVersion(key.Target, key.Version, writer));
        }

        return found;
    }

    public TargetSnapshot Load(Guid target, int recentLimit)
    {
        Set(_load, Blob(target), recentLimit);
        using var row = _load.ExecuteReader();
        var (count, version, opening) = (0L, 0L, 0L);
        var recent = new List<CurrentHeart>();
        var tail = new List<HeartEvent>();
        TargetRule? rule = null;
        while (row.Read())
        {
            switch (row.GetInt32(0))
            {
                case 0:
                    (version, count) = (row.GetInt64(1), row.GetInt64(2));
                    break;
                case 1:
                    recent.Add(new CurrentHeart(Heart(row, 3), row.GetInt64(2), row.GetInt64(1)));
                    break;
                case 3:
                    opening = row.GetInt64(2);
                    break;
                case 4:
                    rule = new TargetRule(row.GetInt32(5) == 1, row.IsDBNull(7) ? null : row.GetString(7), row.GetString(6), row.GetInt64(2));
                    break;
                default:
                    tail.Add(new HeartEvent(
                        target,
                        row.GetInt64(1),
                        row.IsDBNull(7) ? string.Empty : row.GetString(7),
                        Heart(row, 3),
                        row.GetString(6),
                        (HeartEventKind)row.GetInt16(5),
                        row.GetInt64(2),
                        row.GetInt64(4)));
                    break;
            }
        }

        return new TargetSnapshot(count, version, recent, tail, opening, rule);
    }

    public CurrentHeart? FindHeart(Guid target, HeartId heart)
    {
        Set(_findHeart, Blob(target), Blob(heart.ToGuid()));
        using var row = _findHeart.ExecuteReader();
        return row.Read() && row.GetInt16(2) == (short)HeartEventKind.Given
            ? new CurrentHeart(heart, row.GetInt64(1), row.GetInt64(0))
            : null;
    }

    public HeartUserPage ListUsers(Guid target, long before, int limit)
    {
        Set(_listUsers, Blob(target), before, limit);
        using var row = _listUsers.ExecuteReader();
        if (!row.Read())
            return new HeartUserPage([], 1);

        var floor = HeartUserPage.FloorBelow(row.GetInt64(2));
        var users = new List<HeartUser>();
        while (row.Read())
            users.Add(new HeartUser(row.GetString(0), Heart(row, 1), row.GetInt64(2), row.GetInt64(3)));
        return new HeartUserPage([.. users], floor);
    }

    public TopTarget[] ListTop(int limit)
    {
        Set(_listTop, limit);
        using var row = _listTop.ExecuteReader();
        var targets = new List<TopTarget>();
        while (row.Read())
            targets.Add(new TopTarget(row.GetString(0), row.GetInt64(1), row.GetInt64(2)));
        return [.. targets];
    }

    public void Dispose()
    {
        _findVersion.Dispose();
        _load.Dispose();
        _findHeart.Dispose();
        _listUsers.Dispose();
        _listTop.Dispose();
        _connection.Dispose();
    }

    private static byte[] Blob(Guid id) => id.ToByteArray(bigEndian: true);

    private static HeartId Heart(SqliteDataReader row, int column) =>
        HeartId.FromGuid(new Guid(row.GetFieldValue<byte[]>(column), bigEndian: true));

    private static void Set(SqliteCommand command, params ReadOnlySpan<object> values)
    {
        for (var i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i];
    }

    private SqliteCommand Prepare(string sql, params ReadOnlySpan<string> parameters)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        foreach (var parameter in parameters)
            command.Parameters.AddWithValue(parameter, DBNull.Value);
        command.Prepare();
        return command;
    }
}
