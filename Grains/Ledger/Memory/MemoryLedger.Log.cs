using System.Runtime.InteropServices;
using HeartGrains.Audit;
using HeartGrains.Hearts;

namespace HeartGrains.Ledger.Memory;

/// <summary>The log over all targets: in the order of appending.</summary>
public sealed partial class MemoryLedger
{
    // The event at index i has the order i + 1. A decision has no target. Guarded by _appending.
    private readonly List<(MemoryTarget? Target, int Version)> _order = [];
    private readonly List<LoggedEvent> _decisions = [];

    /// <inheritdoc/>
    public ValueTask<long> FindHorizonAsync(CancellationToken cancellationToken)
    {
        lock (_appending) return new(_order.Count);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<LoggedEvent>> ReadAsync(
        EventPosition after, long horizon, EventFilter filter, int limit, CancellationToken cancellationToken)
    {
        var found = new List<LoggedEvent>();
        lock (_appending)
        {
            for (var order = after.Order + 1; order <= Math.Min(horizon, _order.Count) && found.Count < limit; order++)
            {
                var (target, version) = _order[(int)order - 1];
                if (target is not null && filter.Target is { } key && key != target.Key) continue;
                var logged = target?.Describe(order, version) ?? _decisions[version - 1];
                if (target is null && filter.Target is { } about && about != Decision.Desk && about != logged.About) continue;
                if (filter.UserId is null || filter.UserId == logged.UserId) found.Add(logged);
            }
        }

        return new(found);
    }

    /// <inheritdoc/>
    public ValueTask<EventPosition> DecideAsync(Decision decision, CancellationToken cancellationToken)
    {
        lock (_appending) return new(Decide(decision));
    }

    private EventPosition Decide(Decision decision)
    {
        if (_decisions.Find(known => known.Writer == decision.Id) is { } written) return written.Position;
        _order.Add((null, _decisions.Count + 1));
        var position = new EventPosition(_order.Count, Decision.Desk, _decisions.Count + 1);

        // A cause is told of hearts alone.
        var origin = decision.Origin with { Cause = HeartCause.User };
        _decisions.Add(new LoggedEvent(
            position, "", decision.User, decision.UserId, HeartEventKind.Decided, decision.AtMicros, decision.Id, origin, decision.NetworkMac, decision.About, decision.Detail));
        return position;
    }

    private void Order(MemoryTarget target, ReadOnlySpan<HeartEvent> events)
    {
        var start = _order.Count;
        CollectionsMarshal.SetCount(_order, start + events.Length);
        var order = CollectionsMarshal.AsSpan(_order);
        for (var i = 0; i < events.Length; i++) order[start + i] = (target, (int)events[i].Version);
    }
}
