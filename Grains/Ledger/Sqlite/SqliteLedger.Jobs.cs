using HeartGrains.Jobs;

namespace HeartGrains.Ledger.Sqlite;

/// <summary>Long operations.</summary>
public sealed partial class SqliteLedger
{
    /// <inheritdoc/>
    public ValueTask<Job> OpenAsync(Job job, CancellationToken cancellationToken) => WriteAsync(writer => writer.Jobs.Open(job), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<Job?> FindOpenAsync(string kind, string subject, CancellationToken cancellationToken) =>
        new(Read((kind, subject), static (reader, asked) => reader.Jobs.FindOpen(asked.kind, asked.subject)));

    /// <inheritdoc/>
    public ValueTask<Job?> FindAsync(string id, CancellationToken cancellationToken) => new(Read(id, static (reader, id) => reader.Jobs.Find(id)));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<(string Kind, string Subject)>> ListOpenAsync(int limit, CancellationToken cancellationToken) =>
        new(Read(limit, static (reader, limit) => reader.Jobs.ListOpen(limit)));

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Job>> ListOpenAsync(string kind, int limit, CancellationToken cancellationToken) =>
        new(Read((kind, limit), static (reader, asked) => reader.Jobs.ListOpen(asked.kind, asked.limit)));

    /// <inheritdoc/>
    public ValueTask<bool> SaveAsync(Job job, CancellationToken cancellationToken) => WriteAsync(writer => writer.Jobs.Save(job), cancellationToken);
}
