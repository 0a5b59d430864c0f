using System.Data.Common;
using HeartGrains.Jobs;

namespace HeartGrains.Ledger;

/// <summary>Long operations in SQL that PostgreSQL and SQLite both understand, each statement a transaction of its own.</summary>
internal sealed class JobSql(Func<DbCommand> create)
{
    internal const string ListOpenSql = "select id, kind, subject from heart_job where finished_micros is null and id > @after order by id limit @limit";

    internal const string PruneSql = "delete from heart_job where id in (select id from heart_job where finished_micros < @before order by finished_micros limit @limit)";

    private const string Columns = "id, kind, subject, arguments, state, checkpoint, progress, step, actor, started_micros, finished_micros";

    public async Task<Job> OpenAsync(Job job, CancellationToken cancellationToken)
    {
        while (true)
        {
            var opened = await ExecuteAsync(
                $"""
                insert into heart_job ({Columns}) values (@id, @kind, @subject, @arguments, 0, null, @progress, 0, @actor, @started, null)
                    on conflict (kind, subject) where finished_micros is null do nothing
                """,
                cancellationToken,
                ("id", job.Id), ("kind", job.Kind), ("subject", job.Subject), ("arguments", job.Arguments), ("progress", job.Progress), ("actor", job.Actor), ("started", job.StartedMicros));
            if (opened > 0) return job;

            // The one that stood in its way may have ended meanwhile.
            if (await FindOpenAsync(job.Kind, job.Subject, cancellationToken) is { } open) return open;
        }
    }

    public async Task<bool> SaveAsync(Job job, CancellationToken cancellationToken) => await ExecuteAsync(
        """
        update heart_job set arguments = @arguments, state = @state, checkpoint = @checkpoint, progress = @progress, step = @step, finished_micros = @finished
         where id = @id and step = @step - 1 and finished_micros is null
        """,
        cancellationToken,
        ("id", job.Id), ("arguments", job.Arguments), ("state", (short)job.State), ("checkpoint", job.Checkpoint), ("progress", job.Progress), ("step", job.Step), ("finished", job.FinishedMicros)) > 0;

    public async Task<Job?> FindOpenAsync(string kind, string subject, CancellationToken cancellationToken) => (await QueryAsync(
        $"select {Columns} from heart_job where kind = @kind and subject = @subject and finished_micros is null", ReadJob, cancellationToken, ("kind", kind), ("subject", subject)))
        .FirstOrDefault();

    public async Task<Job?> FindAsync(string id, CancellationToken cancellationToken) =>
        (await QueryAsync($"select {Columns} from heart_job where id = @id", ReadJob, cancellationToken, ("id", id))).FirstOrDefault();

    public async Task<IReadOnlyList<OpenJob>> ListOpenAsync(string after, int limit, CancellationToken cancellationToken) => await QueryAsync(
        ListOpenSql, static row => new OpenJob(row.GetString(0), row.GetString(1), row.GetString(2)), cancellationToken, ("after", after), ("limit", limit));

    public async Task<IReadOnlyList<Job>> ListOpenOfKindAsync(string kind, int limit, CancellationToken cancellationToken) => await QueryAsync(
        $"select {Columns} from heart_job where kind = @kind and finished_micros is null order by started_micros limit @limit",
        ReadJob,
        cancellationToken,
        ("kind", kind),
        ("limit", limit));

    public Task<int> PruneAsync(long beforeMicros, int limit, CancellationToken cancellationToken) =>
        ExecuteAsync(PruneSql, cancellationToken, ("before", beforeMicros), ("limit", limit));

    private static Job ReadJob(DbDataReader row) => new(
        row.GetString(0), row.GetString(1), row.GetString(2), Text(row, 3), (JobState)row.GetInt16(4), Text(row, 5), row.GetString(6), row.GetInt64(7), row.GetString(8), row.GetInt64(9),
        row.IsDBNull(10) ? null : row.GetInt64(10));

    private static string? Text(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private async Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken, params (string Name, object? Value)[] values)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<List<T>> QueryAsync<T>(string sql, Func<DbDataReader, T> read, CancellationToken cancellationToken, params (string Name, object? Value)[] values)
    {
        await using var command = Command(sql, values);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<T>();
        while (await row.ReadAsync(cancellationToken)) rows.Add(read(row));
        return rows;
    }

    private DbCommand Command(string sql, (string Name, object? Value)[] values)
    {
        var command = create();
        command.CommandText = sql;
        foreach (var (name, value) in values)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value ?? DBNull.Value);
            command.Parameters.Add(parameter);
        }

        return command;
    }
}
