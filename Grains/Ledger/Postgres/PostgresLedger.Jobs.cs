using HeartGrains.Jobs;

namespace HeartGrains.Ledger.Postgres;

/// <summary>Long operations.</summary>
public sealed partial class PostgresLedger
{
    private JobSql Jobs => new(() => _source.CreateCommand());

    /// <inheritdoc/>
    public ValueTask<Job> OpenAsync(Job job, CancellationToken cancellationToken) => AskAsync(() => Jobs.OpenAsync(job, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<bool> SaveAsync(Job job, CancellationToken cancellationToken) => AskAsync(() => Jobs.SaveAsync(job, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<int> PruneAsync(long beforeMicros, int limit, CancellationToken cancellationToken) => AskAsync(() => Jobs.PruneAsync(beforeMicros, limit, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<Job?> FindOpenAsync(string kind, string subject, CancellationToken cancellationToken) => AskAsync(() => Jobs.FindOpenAsync(kind, subject, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<Job?> FindAsync(string id, CancellationToken cancellationToken) => AskAsync(() => Jobs.FindAsync(id, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Job>> ListOpenOfKindAsync(string kind, int limit, CancellationToken cancellationToken) =>
        AskAsync(() => Jobs.ListOpenOfKindAsync(kind, limit, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<OpenJob>> ListOpenAsync(string after, int limit, CancellationToken cancellationToken) =>
        AskAsync(() => Jobs.ListOpenAsync(after, limit, cancellationToken));
}
