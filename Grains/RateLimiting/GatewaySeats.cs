namespace HeartGrains.RateLimiting;

/// <summary>The seats as they are stored.</summary>
[GenerateSerializer, Alias("ratelimiting.GatewaySeatsState")]
public sealed class GatewaySeatsState
{
    /// <summary>The seats in order; their number is what grains leave room for.</summary>
    [Id(0)] public StoredSeat[] Seats { get; set; } = [];

    /// <summary>The last term given.</summary>
    [Id(1)] public long LastTerm { get; set; }
}

/// <summary>A seat.</summary>
/// <param name="Holder">The gateway process; <see cref="Guid.Empty"/> when it is free.</param>
/// <param name="Term">Counts how often any seat was given away.</param>
[GenerateSerializer, Immutable, Alias("ratelimiting.StoredSeat")]
public readonly record struct StoredSeat([property: Id(0)] Guid Holder, [property: Id(1)] long Term);

/// <summary>
/// Who holds which seat, and how many there are. There is always a spare one, so that a gateway that joins is seated at once. A seat may be given only
/// when nobody can be using it: its last holder was silent for a lease, and every silo has left room for it since a lease. Not thread-safe.
/// </summary>
public sealed class GatewaySeats
{
    private const int MaxSeats = 1_000;

    private readonly int _spares;
    private readonly long _leaseTicks;
    private readonly Func<long> _fillTicks;
    private List<Seat> _seats;
    private long _lastTerm;

    /// <summary>Starts from the stored seats. As nobody knows how old they are, each holder counts as just renewed and each free seat as just added.</summary>
    /// <param name="spares">How many seats are kept free; 0 where there is one gateway for good.</param>
    /// <param name="leaseTicks">How long a lease lasts by the holder's clock, and a little more.</param>
    /// <param name="fillTicks">How long the slowest slice takes to fill.</param>
    /// <param name="stored">The stored seats, or null in a cluster that never had any: then nobody uses one.</param>
    /// <param name="now">The monotonic clock, after they were read.</param>
    public GatewaySeats(int spares, long leaseTicks, Func<long> fillTicks, GatewaySeatsState? stored, long now)
    {
        (_spares, _leaseTicks, _fillTicks, _lastTerm) = (spares, leaseTicks, fillTicks, stored?.LastTerm ?? 0);
        _seats = stored is null
            ? [.. Enumerable.Repeat(new Seat(Guid.Empty, 0, 0, FreeSince: long.MinValue / 2), 1 + spares)]
            : [.. stored.Seats.Select(seat => new Seat(seat.Holder, seat.Term, RenewedAt: now, FreeSince: now + leaseTicks))];
    }

    /// <summary>How many seats grains leave room for.</summary>
    public int Count => _seats.Count;

    /// <summary>
    /// What to store before a call is answered: one by which <paramref name="gatewayId"/> takes or keeps a seat, or, when it is null, one that only
    /// asks how many there are.
    /// </summary>
    public GatewaySeatsPlan Plan(Guid? gatewayId, long now)
    {
        var seats = _seats.ConvertAll(seat => seat.AsOf(now, _leaseTicks));
        var term = _lastTerm;
        var own = -1;
        if (gatewayId is { } id)
        {
            own = seats.FindIndex(seat => seat.Holder == id);
            if (own < 0)
            {
                own = seats.FindIndex(seat => seat.IsFree && seat.FreeSince <= now);
                if (own >= 0) seats[own] = seats[own] with { Holder = id, Term = ++term };
            }
        }

        // A seat goes when all its slices have filled: a grain that is whole then, or whose share grows by theirs, has no more than they and it held.
        var free = seats.Count(seat => seat.IsFree);
        var filledSince = now - _fillTicks();
        for (; free > _spares && seats.Count > 1 + _spares && seats[^1].IsFree && seats[^1].FreeSince <= filledSince; free--) seats.RemoveAt(seats.Count - 1);
        for (; free < _spares && seats.Count < MaxSeats; free++) seats.Add(new Seat(Guid.Empty, 0, 0, FreeSince: long.MaxValue));

        return new GatewaySeatsPlan(
            new GatewaySeatsState { Seats = [.. seats.Select(seat => new StoredSeat(seat.Holder, seat.Term))], LastTerm = term }, seats, own);
    }

    /// <summary>Takes over a plan that is stored now. Returns the gateway's seat: index, term, and since when nobody else could use it; an index of -1 when there was none.</summary>
    public (int Index, long Term, long FreeSince) Commit(GatewaySeatsPlan plan, long now)
    {
        _lastTerm = plan.State.LastTerm;
        _seats = plan.Seats.ConvertAll(seat => seat.FreeSince == long.MaxValue ? seat with { FreeSince = now + _leaseTicks } : seat);
        if (plan.Own < 0) return (-1, 0, now);
        var own = _seats[plan.Own] = _seats[plan.Own] with { RenewedAt = now };
        return (plan.Own, own.Term, own.FreeSince);
    }

    /// <summary>A seat in memory. <paramref name="FreeSince"/> of a held one is when it became free before it was given.</summary>
    internal readonly record struct Seat(Guid Holder, long Term, long RenewedAt, long FreeSince)
    {
        public bool IsFree => Holder == Guid.Empty;

        public Seat AsOf(long now, long leaseTicks) =>
            !IsFree && now - RenewedAt >= leaseTicks ? new Seat(Guid.Empty, 0, 0, RenewedAt + leaseTicks) : this;
    }
}

/// <summary>Seats to be stored, and what to take over once they are.</summary>
public sealed class GatewaySeatsPlan
{
    internal GatewaySeatsPlan(GatewaySeatsState state, List<GatewaySeats.Seat> seats, int own) => (State, Seats, Own) = (state, seats, own);

    /// <summary>What has to be stored first.</summary>
    public GatewaySeatsState State { get; }

    internal List<GatewaySeats.Seat> Seats { get; }

    internal int Own { get; }
}
