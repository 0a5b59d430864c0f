using HeartGrains.Audit;
using HeartGrains.Hearts;
using Microsoft.Data.Sqlite;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>Reads seals and rows, and what is stored of targets, on a reader's connection.</summary>
internal sealed class SqliteAudit(SqliteConnection connection)
{
    private const string SealColumns = "number, position, events, at_micros, hash, mac";
    private const string SealedColumns = "seq, target, version, target_id, heart, kind, at_micros, writer, actor, cause, network_mac, job, about, detail";
    private const string RawColumns = SealedColumns + ", user_id, network";

    internal const string FindDecisionsSql = "select detail from heart_event where kind = 3 and job = $job";

    private const string ListTargetsSql = """
        with recursive next (target) as (
            select (select min(target) from (select * from (select target from heart_event where target > $after order by target limit 1)
                                             union all select * from (select target from heart_target where target > $after order by target limit 1)
                                             union all select * from (select target from heart_rule where target > $after order by target limit 1)
                                             union all select * from (select about from heart_event where about > $after order by about limit 1)))
            union all
            select (select min(target) from (select * from (select target from heart_event where target > next.target order by target limit 1)
                                             union all select * from (select target from heart_target where target > next.target order by target limit 1)
                                             union all select * from (select target from heart_rule where target > next.target order by target limit 1)
                                             union all select * from (select about from heart_event where about > next.target order by about limit 1)))
              from next where next.target is not null
        )
        select target from next where target is not null limit $limit
        """;

    /// <summary>Makes the next block, without storing its seal; null when all is sealed, or a seal that is known is not there.</summary>
    public EventSeal? MakeSeal(int limit, long known, EventChain chain, long atMicros)
    {
        var last = FindLast();
        if (known > (last?.Number ?? 0)) return null;
        var from = last?.Position ?? 0;
        chain.Start(last?.Hash ?? EventChain.Origin, (last?.Number ?? 0) + 1);
        var position = from;
        using var command = Command($"select {SealedColumns} from heart_event where seq > $after order by seq limit $limit", ("$after", from), ("$limit", limit));
        using var row = command.ExecuteReader();
        while (row.Read())
        {
            var raw = ReadRaw(row, isWhole: false);
            chain.Add(raw);
            position = raw.Position.Order;
        }

        return position == from ? null : chain.Finish(position, atMicros);
    }

    public EventSeal? FindLast()
    {
        using var command = Command($"select {SealColumns} from heart_seal order by number desc limit 1");
        using var row = command.ExecuteReader();
        return row.Read() ? ReadSeal(row) : null;
    }

    public IReadOnlyList<EventSeal> ReadSeals(long from, int limit)
    {
        using var command = Command($"select {SealColumns} from heart_seal where number >= $from order by number limit $limit", ("$from", from), ("$limit", limit));
        using var row = command.ExecuteReader();
        var seals = new List<EventSeal>();
        while (row.Read()) seals.Add(ReadSeal(row));
        return seals;
    }

    public long? FindUnsealed()
    {
        using var command = Command("select at_micros from heart_event where seq > coalesce((select position from heart_seal order by number desc limit 1), 0) order by seq limit 1");
        return command.ExecuteScalar() as long?;
    }

    public bool Scan(long after, long upTo, RawEventReader read, CancellationToken cancellationToken)
    {
        using var command = Command($"select {RawColumns} from heart_event where seq > $after and seq <= $upTo order by seq", ("$after", after), ("$upTo", upTo));
        using var row = command.ExecuteReader();
        while (row.Read())
        {
            cancellationToken.ThrowIfCancellationRequested();
            read(ReadRaw(row, isWhole: true));
        }

        return true;
    }

    public bool ScanTarget(Guid target, ITargetReader reader, CancellationToken cancellationToken)
    {
        // One transaction for one snapshot.
        using var transaction = connection.BeginTransaction(deferred: true);
        var version = 0L;
        Read(
            "select t.target_id, coalesce(t.count, 0), coalesce(t.version, 0), f.seq from heart_fold f left join heart_target t on t.target = $target",
            row =>
            {
                version = row.GetInt64(2);
                reader.Read(new StoredTarget(Text(row, 0), row.GetInt64(1), version, row.GetInt64(3)));
            });
        Read(Events("version <= $version"), row => reader.Read(ReadRaw(row, isWhole: true)), ("$version", version));
        Read(
            "select heart, at_micros, version from heart_current where target = $target",
            row => reader.Read(new CurrentHeart(HeartId.FromGuid(Id(row, 0)), row.GetInt64(1), row.GetInt64(2))));
        Read(Events("version > $version"), row => reader.Read(ReadRaw(row, isWhole: true)), ("$version", version));
        return true;

        void Read(string sql, Action<SqliteDataReader> read, params ReadOnlySpan<(string Name, object Value)> more)
        {
            using var command = Command(sql, [("$target", Blob(target)), .. more]);
            command.Transaction = transaction;
            using var row = command.ExecuteReader();
            while (row.Read())
            {
                cancellationToken.ThrowIfCancellationRequested();
                read(row);
            }
        }

        static string Events(string which) => $"select {RawColumns} from heart_event where target = $target and {which} order by version";
    }

    public IReadOnlyList<Guid> ListTargets(Guid after, int limit)
    {
        using var command = Command(ListTargetsSql, ("$after", Blob(after)), ("$limit", limit));
        using var row = command.ExecuteReader();
        var targets = new List<Guid>();
        while (row.Read()) targets.Add(Id(row, 0));
        return targets;
    }

    public IReadOnlyDictionary<Guid, string> FindNames(IReadOnlyCollection<Guid> targets)
    {
        var names = new Dictionary<Guid, string>();
        foreach (var target in targets)
        {
            using var command = Command("select target_id from heart_event where target = $target and version = 1", ("$target", Blob(target)));
            if (command.ExecuteScalar() is string name) names[target] = name;
        }

        return names;
    }

    public IReadOnlyList<string> FindDecisions(string job)
    {
        using var command = Command(FindDecisionsSql, ("$job", job));
        using var row = command.ExecuteReader();
        var details = new List<string>();
        while (row.Read()) details.Add(row.GetString(0));
        return details;
    }

    public TargetAt FindAsOf(Guid target, long atMicros)
    {
        using var command = Command(
            """
            with last as materialized (
                select version from heart_event where target = $target and at_micros <= $at order by version desc limit 1
            )
            select coalesce((select version from last), 0),
                   coalesce((select sum(case kind when 1 then 1 else -1 end) from heart_event where target = $target and version <= (select version from last)), 0)
            """,
            ("$target", Blob(target)), ("$at", atMicros));
        using var row = command.ExecuteReader();
        row.Read();
        return new TargetAt(true, row.GetInt64(1), row.GetInt64(0));
    }

    public OpeningAt FindOpening(Guid target, long atMicros)
    {
        using var command = Command(
            """
            with decided as materialized (
                select version, at_micros, detail from heart_event where about = $target and kind = 3 and detail like '{"action":"opening\_set"%' escape '\'
            )
            select coalesce((select opening from heart_opening where target = $target), 0),
                   coalesce((select json_extract(detail, '$.opening') from decided where at_micros <= $at order by version desc limit 1),
                            (select json_extract(detail, '$.opening_before') from decided where at_micros > $at order by version limit 1))
            """,
            ("$target", Blob(target)), ("$at", atMicros));
        using var row = command.ExecuteReader();
        row.Read();
        return new OpeningAt(row.GetInt64(0), row.IsDBNull(1) ? null : row.GetInt64(1));
    }

    public WatchPlace FindWatch()
    {
        using var command = Command("select block, target from heart_watch");
        using var row = command.ExecuteReader();
        row.Read();
        return new WatchPlace(row.GetInt64(0), Id(row, 1));
    }

    private static EventSeal ReadSeal(SqliteDataReader row) => new(
        row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetFieldValue<byte[]>(4), row.GetFieldValue<byte[]>(5));

    private static RawEvent ReadRaw(SqliteDataReader row, bool isWhole) => new(
        new EventPosition(row.GetInt64(0), Id(row, 1), row.GetInt64(2)),
        Text(row, 3),
        HeartId.FromGuid(Id(row, 4)),
        isWhole ? row.GetString(14) : "",
        (HeartEventKind)row.GetInt16(5),
        row.GetInt64(6),
        row.GetInt64(7),
        Text(row, 8),
        row.IsDBNull(9) ? (short)0 : row.GetInt16(9),
        isWhole ? Text(row, 15) : null,
        row.IsDBNull(10) ? 0 : row.GetInt64(10),
        Text(row, 11),
        row.IsDBNull(12) ? null : Id(row, 12),
        Text(row, 13));

    private static Guid Id(SqliteDataReader row, int column) => new(row.GetFieldValue<byte[]>(column), bigEndian: true);

    private static byte[] Blob(Guid id) => id.ToByteArray(bigEndian: true);

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value);
        return command;
    }
}
