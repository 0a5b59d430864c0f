namespace HeartGrains.RateLimiting;

/// <summary>
/// Who holds the seats, and when a seat may change hands. A holder that was silent for the lease uses its slices no more, and after the
/// time a slice takes to fill on top, each of them is full: only then is the seat another's. Not thread-safe.
/// </summary>
public sealed class GatewaySeats
{
    private readonly int _seats;
    private readonly long _reuseTicks;
    private readonly List<Holder> _holders;

    /// <summary>Starts from the stored holders; each counts as just renewed, as nobody knows how long ago it was.</summary>
    /// <param name="seats">How many seats there are.</param>
    /// <param name="reuseTicks">Lease plus fill time: how long a silent holder keeps its seat.</param>
    /// <param name="holders">The stored holders.</param>
    /// <param name="now">The monotonic clock, after they were read.</param>
    public GatewaySeats(int seats, long reuseTicks, IEnumerable<Guid> holders, long now)
    {
        _seats = seats;
        _reuseTicks = reuseTicks;
        _holders = [.. holders.Select(id => new Holder(id, now))];
    }

    /// <summary>The holders to store so that <paramref name="gatewayId"/> has a seat; null when there is none for it.</summary>
    public Guid[]? Plan(Guid gatewayId, long now)
    {
        var ids = _holders.ConvertAll(holder => holder.Id);
        var own = ids.IndexOf(gatewayId);
        if (own >= 0) return own < _seats ? [.. ids] : null;

        if (ids.Count < _seats) return [.. ids, gatewayId];

        var silent = _holders.FindIndex(holder => now - holder.RenewedAt >= _reuseTicks);
        if (silent < 0) return null;
        ids.RemoveAt(silent);
        return ids.Count < _seats ? [.. ids, gatewayId] : null;
    }

    /// <summary>Takes over holders that are stored now.</summary>
    public void Commit(Guid[] holders, Guid gatewayId, long now)
    {
        _holders.RemoveAll(holder => holder.Id == gatewayId || !holders.Contains(holder.Id));
        _holders.Insert(Array.IndexOf(holders, gatewayId), new Holder(gatewayId, now));
    }

    private readonly record struct Holder(Guid Id, long RenewedAt);
}
