using HeartGrains.Audit;
using HeartGrains.Webhooks;
using Microsoft.Data.Sqlite;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>The statements of webhooks, on a connection that reads or writes.</summary>
internal readonly struct SqliteWebhooks(SqliteConnection connection)
{
    public EventPosition? FindPlace(string endpoint)
    {
        using var command = Command("select seq, target, version from heart_webhook where endpoint = $endpoint", ("$endpoint", endpoint));
        using var row = command.ExecuteReader();
        return row.Read() ? new EventPosition(row.GetInt64(0), Id(row, 1), row.GetInt64(2)) : null;
    }

    public bool Advance(string endpoint, EventPosition place, IReadOnlyList<ChangedTarget> changed)
    {
        using var transaction = connection.BeginTransaction();
        using (var move = Command(
            """
            insert into heart_webhook (endpoint, seq, target, version) values ($endpoint, $seq, $target, $version)
                on conflict (endpoint) do update set seq = excluded.seq, target = excluded.target, version = excluded.version
            """,
            ("$endpoint", endpoint), ("$seq", place.Order), ("$target", Blob(place.Target)), ("$version", place.Version)))
        {
            move.Transaction = transaction;
            move.ExecuteNonQuery();
        }

        using var take = Command(
            """
            insert into heart_webhook_target (endpoint, target, target_id, change, due_micros, attempts, since_micros) values ($endpoint, $target, $name, 1, $due, 0, 0)
                on conflict (endpoint, target) do update
                   set change = change + 1,
                       attempts = iif(due_micros is null, 0, attempts),
                       since_micros = iif(due_micros is null, 0, since_micros),
                       due_micros = coalesce(due_micros, excluded.due_micros)
            """,
            ("$endpoint", endpoint), ("$target", null), ("$name", null), ("$due", null));
        take.Transaction = transaction;
        foreach (var target in changed)
        {
            take.Parameters["$target"].Value = Blob(target.Target);
            take.Parameters["$name"].Value = target.TargetId;
            take.Parameters["$due"].Value = target.DueMicros;
            take.ExecuteNonQuery();
        }

        transaction.Commit();
        return true;
    }

    public IReadOnlyList<WaitingTarget> ListDue(string endpoint, long nowMicros, int limit)
    {
        using var command = Command(
            "select target, target_id, change, attempts, since_micros from heart_webhook_target where endpoint = $endpoint and due_micros <= $now order by due_micros limit $limit",
            ("$endpoint", endpoint), ("$now", nowMicros), ("$limit", limit));
        using var row = command.ExecuteReader();
        var due = new List<WaitingTarget>();
        while (row.Read()) due.Add(new WaitingTarget(Id(row, 0), row.GetString(1), row.GetInt64(2), row.GetInt32(3), row.GetInt64(4)));
        return due;
    }

    public bool Delivered(string endpoint, WaitingTarget waiting, long nextMicros)
    {
        using var command = Command(
            """
            delete from heart_webhook_target where endpoint = $endpoint and target = $target and change = $change;
            update heart_webhook_target set due_micros = $next, attempts = 0, since_micros = 0, error = null where endpoint = $endpoint and target = $target and change <> $change
            """,
            ("$endpoint", endpoint), ("$target", Blob(waiting.Target)), ("$change", waiting.Change), ("$next", nextMicros));
        return command.ExecuteNonQuery() > 0;
    }

    public bool Failed(string endpoint, WaitingTarget waiting, long sinceMicros, long? nextMicros, string error)
    {
        using var command = Command(
            "update heart_webhook_target set due_micros = $next, attempts = $attempts, since_micros = $since, error = $error where endpoint = $endpoint and target = $target",
            ("$endpoint", endpoint), ("$target", Blob(waiting.Target)), ("$next", nextMicros), ("$attempts", waiting.Attempts + 1), ("$since", sinceMicros), ("$error", error));
        return command.ExecuteNonQuery() > 0;
    }

    public (long Pending, long Failing, long Dead) Count(string endpoint)
    {
        using var command = Command(
            "select count(due_micros), count(*) filter (where due_micros is not null and attempts > 0), count(*) filter (where due_micros is null) from heart_webhook_target where endpoint = $endpoint",
            ("$endpoint", endpoint));
        using var row = command.ExecuteReader();
        row.Read();
        return (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2));
    }

    public IReadOnlyList<DeadLetter> ListDead(string endpoint, string after, int limit)
    {
        using var command = Command(
            """
            select target_id, attempts, since_micros, coalesce(error, '') from heart_webhook_target
             where endpoint = $endpoint and due_micros is null and target_id > $after order by target_id limit $limit
            """,
            ("$endpoint", endpoint), ("$after", after), ("$limit", limit));
        using var row = command.ExecuteReader();
        var dead = new List<DeadLetter>();
        while (row.Read()) dead.Add(new DeadLetter(row.GetString(0), row.GetInt32(1), row.GetInt64(2), row.GetString(3)));
        return dead;
    }

    public int Resend(string endpoint, string? targetId, long dueMicros)
    {
        using var command = Command(
            """
            update heart_webhook_target set due_micros = $due, attempts = 0, since_micros = 0
             where endpoint = $endpoint and due_micros is null and ($name is null or target_id = $name)
            """,
            ("$endpoint", endpoint), ("$name", targetId), ("$due", dueMicros));
        return command.ExecuteNonQuery();
    }

    private SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }

    private static byte[] Blob(Guid id) => id.ToByteArray(bigEndian: true);

    private static Guid Id(SqliteDataReader row, int column) => new(row.GetFieldValue<byte[]>(column), bigEndian: true);
}
