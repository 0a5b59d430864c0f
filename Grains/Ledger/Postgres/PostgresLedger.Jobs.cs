using HeartGrains.Jobs;
using Npgsql;

namespace HeartGrains.Ledger.Postgres;

/// <summary>Long operations.</summary>
public sealed partial class PostgresLedger
{
    private const string JobColumns = "id, kind, subject, arguments, state, checkpoint, progress, step, actor, started_micros, finished_micros";

    private const string OpenJobSql = $"""
        insert into heart_job ({JobColumns}) values ($1, $2, $3, $4, 0, null, $5, 0, $6, $7, null)
            on conflict (kind, subject) where finished_micros is null do nothing
        """;

    private const string FindOpenJobSql = $"select {JobColumns} from heart_job where kind = $1 and subject = $2 and finished_micros is null";

    private const string SaveJobSql = """
        update heart_job set arguments = $3, state = $4, checkpoint = $5, progress = $6, step = $2, finished_micros = $7
         where id = $1 and step = $2 - 1 and finished_micros is null
        """;

    /// <inheritdoc/>
    public ValueTask<Job> OpenAsync(Job job, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        while (true)
        {
            await using (var command = Command(OpenJobSql,
                [Value(job.Id), Value(job.Kind), Value(job.Subject), Value(job.Arguments), Value(job.Progress), Value(job.Actor), Value(job.StartedMicros)]))
            {
                if (await command.ExecuteNonQueryAsync(cancellationToken) > 0) return job;
            }

            // The one that stood in its way may have ended meanwhile.
            if (await QueryAsync(FindOpenJobSql, [Value(job.Kind), Value(job.Subject)], ReadJob, cancellationToken) is [var open]) return open;
        }
    });

    /// <inheritdoc/>
    public ValueTask<Job?> FindOpenAsync(string kind, string subject, CancellationToken cancellationToken) => AskAsync(async () =>
        (await QueryAsync(FindOpenJobSql, [Value(kind), Value(subject)], ReadJob, cancellationToken)).FirstOrDefault());

    /// <inheritdoc/>
    public ValueTask<Job?> FindAsync(string id, CancellationToken cancellationToken) => AskAsync(async () =>
        (await QueryAsync($"select {JobColumns} from heart_job where id = $1", [Value(id)], ReadJob, cancellationToken)).FirstOrDefault());

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<(string Kind, string Subject)>> ListOpenAsync(int limit, CancellationToken cancellationToken) =>
        AskAsync<IReadOnlyList<(string Kind, string Subject)>>(async () => await QueryAsync(
            "select kind, subject from heart_job where finished_micros is null order by started_micros limit $1",
            [Value(limit)],
            static row => (row.GetString(0), row.GetString(1)),
            cancellationToken));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Job>> ListOpenAsync(string kind, int limit, CancellationToken cancellationToken) => AskAsync<IReadOnlyList<Job>>(async () => await QueryAsync(
        $"select {JobColumns} from heart_job where kind = $1 and finished_micros is null order by started_micros limit $2", [Value(kind), Value(limit)], ReadJob, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<bool> SaveAsync(Job job, CancellationToken cancellationToken) => AskAsync(async () =>
    {
        await using var command = Command(SaveJobSql,
            [Value(job.Id), Value(job.Step), Value(job.Arguments), Value((short)job.State), Value(job.Checkpoint), Value(job.Progress), Value(job.FinishedMicros)]);
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    });

    private static Job ReadJob(NpgsqlDataReader row) => new(
        row.GetString(0), row.GetString(1), row.GetString(2), Text(row, 3), (JobState)row.GetInt16(4), Text(row, 5), row.GetString(6), row.GetInt64(7), row.GetString(8), row.GetInt64(9),
        row.IsDBNull(10) ? null : row.GetInt64(10));
}
