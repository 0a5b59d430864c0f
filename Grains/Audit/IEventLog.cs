using HeartGrains.Ledger;

namespace HeartGrains.Audit;

/// <summary>
/// The log as a whole, in one order. Safe for concurrent use. Every method throws <see cref="LedgerException"/> when the store cannot answer.
/// </summary>
public interface IEventLog
{
    /// <summary>
    /// The last place that is settled: no event can appear at or before it any more. Events behind it are there, and may be joined by earlier ones.
    /// </summary>
    ValueTask<long> FindHorizonAsync(CancellationToken cancellationToken);

    /// <summary>Events after a place, in order, up to <paramref name="horizon"/> included, at most <paramref name="limit"/>.</summary>
    ValueTask<IReadOnlyList<LoggedEvent>> ReadAsync(EventPosition after, long horizon, EventFilter filter, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Writes a decision into the desk's stream. Durable when it returns; the same decision again is written once. When it throws it may have been written.
    /// </summary>
    ValueTask<EventPosition> DecideAsync(Decision decision, CancellationToken cancellationToken);
}
