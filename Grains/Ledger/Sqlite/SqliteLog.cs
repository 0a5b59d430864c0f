using HeartGrains.Audit;
using HeartGrains.Hearts;
using Microsoft.Data.Sqlite;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>Reads the log over all targets, on a reader's connection.</summary>
internal sealed class SqliteLog(SqliteConnection connection)
{
    private const string Columns =
        "seq, target, version, target_id, heart, user_id, kind, at_micros, writer, actor, cause, network, network_mac, job, about, detail";

    private const string Place = "seq > $after and seq <= $horizon";

    public long FindHorizon()
    {
        using var command = connection.CreateCommand();
        command.CommandText = "select coalesce(max(seq), 0) from heart_event";
        return (long)command.ExecuteScalar()!;
    }

    public IReadOnlyList<LoggedEvent> Read(EventPosition after, long horizon, EventFilter filter, int limit)
    {
        using var command = connection.CreateCommand();
        command.CommandText = Named(filter switch
        {
            { Target: null, UserId: null } => $"select {Columns} from heart_event where {Place} order by seq limit $limit",
            { Target: null } => $"select {Columns} from heart_event where user_id = $user and {Place} order by seq limit $limit",

            // A target's versions are in the log's order.
            { UserId: null } => $"""
                select * from (select {Columns} from heart_event where target = $target and version > $version and {Place} order by version limit $limit)
                union all
                select * from (select {Columns} from heart_event where about = $target and {Place} order by seq limit $limit)
                order by seq limit $limit
                """,
            _ => $"select {Columns} from heart_event where user_id = $user and (target = $target or about = $target) and {Place} order by seq limit $limit",
        });
        command.Parameters.AddWithValue("$after", after.Order);
        command.Parameters.AddWithValue("$horizon", horizon);
        command.Parameters.AddWithValue("$limit", limit);
        command.Parameters.AddWithValue("$version", filter.Target == after.Target ? after.Version : 0);
        command.Parameters.AddWithValue("$target", filter.Target is { } target ? target.ToByteArray(bigEndian: true) : DBNull.Value);
        command.Parameters.AddWithValue("$user", filter.UserId is { } user ? user : DBNull.Value);
        using var row = command.ExecuteReader();
        var found = new List<LoggedEvent>();
        while (row.Read()) found.Add(ReadEvent(row));
        return found;
    }

    /// <summary>The last events of a user about a target, newest first.</summary>
    public IReadOnlyList<LoggedEvent> ReadLatest(Guid target, string userId, int limit)
    {
        using var command = connection.CreateCommand();
        command.CommandText = Named($"select {Columns} from heart_event where user_id = $user and (target = $target or about = $target) order by seq desc limit $limit");
        command.Parameters.AddWithValue("$user", userId);
        command.Parameters.AddWithValue("$target", target.ToByteArray(bigEndian: true));
        command.Parameters.AddWithValue("$limit", limit);
        using var row = command.ExecuteReader();
        var found = new List<LoggedEvent>();
        while (row.Read()) found.Add(ReadEvent(row));
        found.Reverse();
        return found;
    }

    /// <summary>When the oldest event was written that is not folded; null when all are.</summary>
    public long? FindOldestUnfolded()
    {
        using var command = connection.CreateCommand();
        command.CommandText = "select at_micros from heart_event where seq > (select seq from heart_fold) order by seq limit 1";
        return (long?)command.ExecuteScalar();
    }

    /// <summary>A target's name stands in its first event alone.</summary>
    private static string Named(string events) => $"""
        select e.seq, e.target, e.version, coalesce(e.target_id, first.target_id), e.heart, e.user_id, e.kind, e.at_micros, e.writer, e.actor, e.cause, e.network, e.network_mac, e.job, e.about, e.detail
          from ({events}) e
          join heart_event first on first.target = e.target and first.version = 1
         order by e.seq
        """;

    private static LoggedEvent ReadEvent(SqliteDataReader row) => new(
        new EventPosition(row.GetInt64(0), Id(row, 1), row.GetInt64(2)),
        row.GetString(3),
        HeartId.FromGuid(Id(row, 4)),
        row.GetString(5),
        (HeartEventKind)row.GetInt16(6),
        row.GetInt64(7),
        row.GetInt64(8),
        new OriginColumns(Text(row, 9), row.IsDBNull(10) ? null : row.GetInt16(10), Text(row, 11), Text(row, 13)).ToOrigin(),
        row.IsDBNull(12) ? 0 : row.GetInt64(12),
        row.IsDBNull(14) ? null : Id(row, 14),
        Text(row, 15));

    private static Guid Id(SqliteDataReader row, int column) => new(row.GetFieldValue<byte[]>(column), bigEndian: true);

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
