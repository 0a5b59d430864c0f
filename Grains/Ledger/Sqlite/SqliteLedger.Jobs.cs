using HeartGrains.Jobs;
using Microsoft.Data.Sqlite;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>Long operations.</summary>
public sealed partial class SqliteLedger
{
    /// <inheritdoc/>
    public ValueTask<Job> OpenAsync(Job job, CancellationToken cancellationToken) => WriteAsync(writer => Ended(Jobs(writer.Connection).OpenAsync(job, cancellationToken)), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> SaveAsync(Job job, CancellationToken cancellationToken) => WriteAsync(writer => Ended(Jobs(writer.Connection).SaveAsync(job, cancellationToken)), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int> PruneAsync(long beforeMicros, int limit, CancellationToken cancellationToken) =>
        WriteAsync(writer => Ended(Jobs(writer.Connection).PruneAsync(beforeMicros, limit, cancellationToken)), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Job?> FindOpenAsync(string kind, string subject, CancellationToken cancellationToken) => ReadJobs(jobs => jobs.FindOpenAsync(kind, subject, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<Job?> FindAsync(string id, CancellationToken cancellationToken) => ReadJobs(jobs => jobs.FindAsync(id, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<OpenJob>> ListOpenAsync(string after, int limit, CancellationToken cancellationToken) =>
        ReadJobs(jobs => jobs.ListOpenAsync(after, limit, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Job>> ListOpenOfKindAsync(string kind, int limit, CancellationToken cancellationToken) =>
        ReadJobs(jobs => jobs.ListOpenOfKindAsync(kind, limit, cancellationToken));

    private ValueTask<T> ReadJobs<T>(Func<JobSql, Task<T>> ask) => new(Read(ask, static (reader, ask) => Ended(ask(Jobs(reader.Connection)))));

    private static JobSql Jobs(SqliteConnection connection) => new(connection.CreateCommand);
}
