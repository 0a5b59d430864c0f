namespace HeartGrains.Resilience;

/// <summary>The orders an activation knows, and which of them the store does not have. Not thread-safe.</summary>
internal sealed class BreakerOrders(TimeProvider time)
{
    /// <summary>An order so young is an operator's latest wish, whatever clock gave another its revision.</summary>
    private static readonly TimeSpan Youth = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, StoredBreakerOrder> _orders = [];
    private readonly Dictionary<string, long> _setAt = [];
    private readonly HashSet<string> _notStored = [];
    private long _lastRevision;

    /// <summary>The store has them all.</summary>
    public bool AreStored => _notStored.Count == 0;

    /// <summary>Sets a breaker's order.</summary>
    public StoredBreakerOrder Set(BreakerOrder order)
    {
        var until = time.GetUtcNow().AddMilliseconds(order.RemainingMillis).ToUnixTimeMilliseconds();
        _notStored.Add(order.Breaker);
        _setAt[order.Breaker] = time.GetTimestamp();
        return _orders[order.Breaker] = new StoredBreakerOrder(order.Hand, until, order.Reason, NextRevision());
    }

    /// <summary>The revision that an order has by now.</summary>
    public long RevisionOf(string breaker, StoredBreakerOrder order) =>
        _orders[breaker] with { Revision = order.Revision } == order ? _orders[breaker].Revision : order.Revision;

    /// <summary>Takes over what another activation stored: of each breaker the later order stays, and one that was set here just now.</summary>
    public void Merge(BreakerOrdersState stored)
    {
        _lastRevision = Math.Max(_lastRevision, stored.LastRevision);
        foreach (var (breaker, own) in _orders)
            if (!stored.Orders.TryGetValue(breaker, out var other) || own.Revision > other.Revision) _notStored.Add(breaker);
        foreach (var (breaker, other) in stored.Orders)
        {
            if (_orders.TryGetValue(breaker, out var own) && own.Revision > other.Revision) continue;
            if (own is not null && own != other && IsYoung(breaker))
            {
                _orders[breaker] = own with { Revision = NextRevision() };
                continue;
            }

            _orders[breaker] = other;
            _notStored.Remove(breaker);
        }
    }

    /// <summary>What is to be stored.</summary>
    public BreakerOrdersState ToState() => new() { Orders = new(_orders), LastRevision = _lastRevision };

    /// <summary>It is stored.</summary>
    public void Stored(BreakerOrdersState state) => _notStored.RemoveWhere(breaker => state.Orders.TryGetValue(breaker, out var order) && order == _orders[breaker]);

    /// <summary>The orders as they are followed; those whose time is over are automatic.</summary>
    public BreakerOrder[] Read()
    {
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        return [.. _orders.Select(order => new BreakerOrder(
            order.Key,
            order.Value.UntilMillis > now ? order.Value.Hand : BreakerHand.Auto,
            Math.Max(0, order.Value.UntilMillis - now),
            order.Value.Reason,
            order.Value.Revision))];
    }

    // By the clock, so that it grows also where an earlier one was never stored.
    private long NextRevision() => _lastRevision = Math.Max(_lastRevision + 1, time.GetUtcNow().ToUnixTimeMilliseconds());

    private bool IsYoung(string breaker) => _notStored.Contains(breaker) && time.GetElapsedTime(_setAt[breaker]) <= Youth;
}

/// <summary>The orders as they are stored.</summary>
[GenerateSerializer, Alias("resilience.BreakerOrdersState")]
public sealed class BreakerOrdersState
{
    /// <summary>The latest of each breaker.</summary>
    [Id(0)] public Dictionary<string, StoredBreakerOrder> Orders { get; set; } = [];

    /// <summary>The revision given last.</summary>
    [Id(1)] public long LastRevision { get; set; }
}

/// <summary>An order, until a time of the wall clock in Unix milliseconds.</summary>
[GenerateSerializer, Immutable, Alias("resilience.StoredBreakerOrder")]
public sealed record StoredBreakerOrder(
    [property: Id(0)] BreakerHand Hand, [property: Id(1)] long UntilMillis, [property: Id(2)] string Reason, [property: Id(3)] long Revision);
