using HeartGrains.Jobs;
using Microsoft.Data.Sqlite;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>Long operations, on a reader's connection or on the writer's.</summary>
internal sealed class SqliteJobs(SqliteConnection connection)
{
    private const string Columns = "id, kind, subject, arguments, state, checkpoint, progress, step, actor, started_micros, finished_micros";

    public Job Open(Job job)
    {
        using var command = Command(
            $"""
            insert into heart_job ({Columns}) values ($id, $kind, $subject, $arguments, 0, null, $progress, 0, $actor, $started, null)
                on conflict (kind, subject) where finished_micros is null do nothing
            """,
            ("$id", job.Id), ("$kind", job.Kind), ("$subject", job.Subject), ("$arguments", job.Arguments), ("$progress", job.Progress), ("$actor", job.Actor), ("$started", job.StartedMicros));
        return command.ExecuteNonQuery() > 0 ? job : FindOpen(job.Kind, job.Subject)!;
    }

    public bool Save(Job job)
    {
        using var command = Command(
            """
            update heart_job set arguments = $arguments, state = $state, checkpoint = $checkpoint, progress = $progress, step = $step, finished_micros = $finished
             where id = $id and step = $step - 1 and finished_micros is null
            """,
            ("$id", job.Id), ("$arguments", job.Arguments), ("$state", (long)job.State), ("$checkpoint", job.Checkpoint), ("$progress", job.Progress), ("$step", job.Step), ("$finished", job.FinishedMicros));
        return command.ExecuteNonQuery() > 0;
    }

    public Job? FindOpen(string kind, string subject) =>
        Find($"select {Columns} from heart_job where kind = $kind and subject = $subject and finished_micros is null", ("$kind", kind), ("$subject", subject));

    public Job? Find(string id) => Find($"select {Columns} from heart_job where id = $id", ("$id", id));

    public IReadOnlyList<(string Kind, string Subject)> ListOpen(int limit)
    {
        using var command = Command("select kind, subject from heart_job where finished_micros is null order by started_micros limit $limit", ("$limit", (long)limit));
        using var row = command.ExecuteReader();
        var found = new List<(string, string)>();
        while (row.Read()) found.Add((row.GetString(0), row.GetString(1)));
        return found;
    }

    public IReadOnlyList<Job> ListOpen(string kind, int limit) =>
        List($"select {Columns} from heart_job where kind = $kind and finished_micros is null order by started_micros limit $limit", ("$kind", kind), ("$limit", (long)limit));

    private Job? Find(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters) => List(sql, parameters).FirstOrDefault();

    private List<Job> List(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var command = Command(sql, parameters);
        using var row = command.ExecuteReader();
        var found = new List<Job>();
        while (row.Read())
        {
            found.Add(new Job(
                row.GetString(0), row.GetString(1), row.GetString(2), Text(row, 3), (JobState)row.GetInt16(4), Text(row, 5), row.GetString(6), row.GetInt64(7), row.GetString(8), row.GetInt64(9),
                row.IsDBNull(10) ? null : row.GetInt64(10)));
        }

        return found;
    }

    private SqliteCommand Command(string sql, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
