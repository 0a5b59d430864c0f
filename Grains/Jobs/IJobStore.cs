using HeartGrains.Ledger;

namespace HeartGrains.Jobs;

/// <summary>Where long operations are kept. Safe for concurrent use. Every method throws <see cref="LedgerException"/> when the store cannot answer.</summary>
public interface IJobStore
{
    /// <summary>Stores a new operation unless one of its kind and subject is not finished. Returns the one that is there then. When it throws it may have been stored.</summary>
    ValueTask<Job> OpenAsync(Job job, CancellationToken cancellationToken);

    /// <summary>The operation of this kind and subject that is not finished, or null.</summary>
    ValueTask<Job?> FindOpenAsync(string kind, string subject, CancellationToken cancellationToken);

    /// <summary>The operation of this name, or null.</summary>
    ValueTask<Job?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>What is not finished, in the order of the ids behind <paramref name="after"/>.</summary>
    ValueTask<IReadOnlyList<OpenJob>> ListOpenAsync(string after, int limit, CancellationToken cancellationToken);

    /// <summary>Those of a kind that are not finished, oldest first.</summary>
    ValueTask<IReadOnlyList<Job>> ListOpenOfKindAsync(string kind, int limit, CancellationToken cancellationToken);

    /// <summary>Stores what a page has done, durably, if its step follows the stored one. False when somebody else has moved the operation on.</summary>
    ValueTask<bool> SaveAsync(Job job, CancellationToken cancellationToken);

    /// <summary>Forgets operations that ended before a time, the oldest first. Returns how many.</summary>
    ValueTask<int> PruneAsync(long beforeMicros, int limit, CancellationToken cancellationToken);
}

/// <summary>An operation that is not finished.</summary>
public readonly record struct OpenJob(string Id, string Kind, string Subject);
