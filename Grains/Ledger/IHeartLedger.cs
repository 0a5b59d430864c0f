using HeartGrains.Audit;
using HeartGrains.Hearts;

namespace HeartGrains.Ledger;

/// <summary>
/// The event store: an append-only log keyed by (target, version), and projections folded behind it. Safe for concurrent use.
/// Every method throws <see cref="LedgerException"/> when the store cannot answer, except <see cref="AppendAsync"/>, whose
/// failures are values.
/// </summary>
public interface IHeartLedger
{
    /// <summary>Appends complete before they return, so there is nothing to gain from handing them to another thread.</summary>
    bool IsSynchronous => false;

    /// <summary>
    /// Creates or migrates the schema (safe when several processes start at once), checks that commits are durable, and refuses a
    /// store that was filled under another <paramref name="keyFingerprint"/>: its ids would not match.
    /// </summary>
    Task InitializeAsync(string keyFingerprint, CancellationToken cancellationToken);

    /// <summary>
    /// Appends a batch in one transaction: all of it or nothing. The batch is sorted by target, then version, and holds each key once.
    /// Takes no cancellation token: a commit under way cannot be called back.
    /// </summary>
    ValueTask<AppendOutcome> AppendAsync(ReadOnlyMemory<HeartEvent> batch);

    /// <summary>Which of the batch's (target, version) keys the log holds, and by which writer.</summary>
    ValueTask<IReadOnlyList<WrittenVersion>> FindVersionsAsync(ReadOnlyMemory<HeartEvent> batch, CancellationToken cancellationToken);

    /// <summary>Reads a target in one snapshot. A target never seen comes back with version 0 and nothing else.</summary>
    ValueTask<TargetSnapshot> LoadAsync(Guid target, int recentLimit, CancellationToken cancellationToken);

    /// <summary>The heart if it is given now, by projection and unfolded log in one snapshot; null if it is not.</summary>
    ValueTask<CurrentHeart?> FindHeartAsync(Guid target, HeartId heart, CancellationToken cancellationToken);

    /// <summary>
    /// Sets the target's opening balance, what was counted elsewhere before; 0 takes it away. One that changes is an event in the same transaction. Durable when it returns; whether it was another before is the result. When it throws it may have been set.
    /// </summary>
    ValueTask<bool> SetOpeningAsync(Guid target, string targetId, long opening, OpeningDecision decide, CancellationToken cancellationToken);

    /// <summary>Users who love the target, newest first, below version <paramref name="before"/>.</summary>
    ValueTask<HeartUserPage> ListUsersAsync(Guid target, long before, int limit, CancellationToken cancellationToken);

    /// <summary>The targets with the highest counts, highest first.</summary>
    ValueTask<TopTarget[]> ListTopAsync(int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Folds at most about <paramref name="limit"/> events of the log into the projections, resuming where the last fold stopped, in one
    /// transaction. Safe when several silos fold: one does the work, the others return 0. Returns how many events were folded.
    /// </summary>
    ValueTask<int> FoldAsync(int limit, CancellationToken cancellationToken);

    /// <summary>Throws unless the store answers.</summary>
    ValueTask CheckAsync(CancellationToken cancellationToken);
}

/// <summary>The ledger cannot answer now, or must not be used as it is configured; the message says why.</summary>
public sealed class LedgerException : Exception
{
    /// <inheritdoc/>
    public LedgerException(string message) : base(message) { }

    /// <inheritdoc/>
    public LedgerException(string message, Exception inner) : base(message, inner) { }
}
