using HeartGrains.Ledger;

namespace HeartGrains.Audit;

/// <summary>The log's seals, and its rows in their order. Safe for concurrent use. Every method throws <see cref="LedgerException"/> when the store cannot answer.</summary>
public interface ISealStore
{
    /// <summary>
    /// Seals the next block: whole transactions below the horizon, about <paramref name="limit"/> events. Durable when it returns. Null when there is nothing to seal, another process is at it, or the last seal's number is
    /// below <paramref name="known"/>, so that some were taken away.
    /// </summary>
    ValueTask<EventSeal?> SealAsync(int limit, long known, EventChain chain, long atMicros, CancellationToken cancellationToken);

    /// <summary>The last seal, or null.</summary>
    ValueTask<EventSeal?> FindLastSealAsync(CancellationToken cancellationToken);

    /// <summary>Seals from a number on, in order, at most <paramref name="limit"/>.</summary>
    ValueTask<IReadOnlyList<EventSeal>> ReadSealsAsync(long from, int limit, CancellationToken cancellationToken);

    /// <summary>When the first event behind the last seal happened, in microseconds since 1970-01-01 UTC; null when all are sealed.</summary>
    ValueTask<long?> FindUnsealedAsync(CancellationToken cancellationToken);

    /// <summary>Shows every row behind one place up to and including another, in order.</summary>
    ValueTask ScanAsync(long after, long upTo, RawEventReader read, CancellationToken cancellationToken);
}
