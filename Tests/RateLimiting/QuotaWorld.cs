using HeartGrains.Gateway.RateLimiting;
using HeartGrains.RateLimiting;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.RateLimiting;

/// <summary>
/// One key under one policy: up to eight gateways, up to two silos with an activation each of the key's grain and wall clocks that differ and step, two
/// activations of the seats grain, a store with a version check, a clock.
/// </summary>
internal sealed class QuotaWorld
{
    public const int RenewAction = 45;
    private static readonly TimeSpan MaxClockSkew = TimeSpan.FromSeconds(10);
    private const string Key = "u456";

    private readonly FakeTimeProvider _time = new();
    private readonly QuotaPolicy _policy;
    private readonly GatewayModel[] _gateways;
    private readonly SiloModel[] _silos;
    private readonly Versioned<QuotaLevel> _quotaStore = new();
    private readonly Versioned<GatewaySeatsState> _seatStore = new();
    private readonly List<(long At, long Tokens)> _admitted = [];
    private readonly Queue<Action> _failing = new();
    private Activation _active;
    private Activation _stale;
    private SeatActivation _seats;
    private SeatActivation _staleSeats;

    public QuotaWorld(QuotaPolicy policy, int gateways, int spareSeats = 1)
    {
        _policy = policy;
        SpareSeats = spareSeats;
        _seats = _staleSeats = ActivateSeats();
        _silos = [new SiloModel(_time), new SiloModel(_time)];
        foreach (var silo in _silos) Count(silo, _seats, answerIsLost: false);
        _active = _stale = Activate(_silos[0]);
        _gateways = [.. Enumerable.Range(0, gateways).Select(_ => new GatewayModel(_time))];
    }

    public long Admitted => _admitted.Sum(admission => admission.Tokens);

    private int SpareSeats { get; }

    public void Step(int pause, int action, int gateway, int burst, int cost)
    {
        _time.Advance(TimeSpan.FromMilliseconds(pause));
        var asked = _gateways[gateway % _gateways.Length];
        switch (action)
        {
            case < 34: Call(asked, burst, cost, () => _active); break;
            case < 38: Call(asked, burst, cost, () => _stale); break;
            case < 45: CallForNothing(asked, cost, () => _active); break;
            case < 62: Renew(asked, _seats, answerIsLost: action == 61); break;
            case < 67: Renew(asked, _staleSeats, answerIsLost: false); break;
            case < 74: Count(_silos[burst % 2], _seats, answerIsLost: action == 73); break;
            case < 77: Count(_silos[burst % 2], _staleSeats, answerIsLost: false); break;
            case < 83: _gateways[gateway % _gateways.Length] = new GatewayModel(_time); break;
            case < 89: CrashGrain(_silos[burst % 2]); break;
            case < 94: Close(_silos[burst % 2]); break;
            case < 97: _silos[burst % 2].SetWallClock(MaxClockSkew * (gateway / 7.0)); break;
            default: CrashSeats(); break;
        }
    }

    /// <summary>Looks at every window that starts and ends with an admission.</summary>
    public void ShouldKeepTheBound()
    {
        for (var first = 0; first < _admitted.Count; first++)
        {
            var tokens = 0L;
            for (var last = first; last < _admitted.Count; last++)
            {
                tokens += _admitted[last].Tokens;
                var seconds = _time.GetElapsedTime(_admitted[first].At, _admitted[last].At).TotalSeconds;
                var bound = BoundOf(seconds);
                if (tokens > bound) throw new InvalidOperationException($"{tokens} admitted within {seconds} s, at most {bound} allowed by {_policy}.");
            }
        }
    }

    private double BoundOf(double seconds)
    {
        var window = _policy.Window.TotalSeconds;
        return _policy.Algorithm == QuotaAlgorithm.SlidingWindow && seconds < window
            ? _policy.Limit
            : _policy.Limit + _policy.Limit / window * seconds + 1e-9;
    }

    private void Call(GatewayModel gateway, int calls, int cost, Func<Activation> route)
    {
        for (var call = 0; call < calls; call++)
            if (Take(gateway, cost, route) is not null) _admitted.Add((_time.GetTimestamp(), cost));
    }

    // Hearts that fail for our fault: the tokens go back to where they came from, now or a few failures later, or never.
    private void CallForNothing(GatewayModel gateway, int cost, Func<Activation> route)
    {
        if (Take(gateway, cost, route) is { } giveBack) _failing.Enqueue(giveBack);
        if (_failing.Count > 2) _failing.Dequeue()();
    }

    /// <summary>Takes as a gateway does; what it returns gives back.</summary>
    private Action? Take(GatewayModel gateway, int cost, Func<Activation> route)
    {
        if (gateway.Policy is { } policy && gateway.Slices.TryTake(policy, Key, cost, out var level))
            return () => gateway.Slices.Return(policy, Key, cost, level.Now);

        level = SliceLevel.None;
        var sliced = gateway.Policy;
        var part = sliced is not null && cost > 1 ? gateway.Slices.TakeUpTo(sliced, Key, cost - 1, out level) : 0;
        var tookAt = level.Now;
        var activation = route();
        if (AskGrain(activation, cost - part) is { } takenAt)
        {
            return () =>
            {
                if (part > 0) gateway.Slices.Return(sliced!, Key, part, tookAt);
                activation.Account.Return(cost - part, takenAt, _time.GetTimestamp());
            };
        }

        if (part > 0) gateway.Slices.Return(sliced!, Key, part, tookAt);
        return null;
    }

    private long? AskGrain(Activation activation, long tokens)
    {
        var now = _time.GetTimestamp();
        if (activation.Silo.Seats(now) is not { } seats) return null;
        var account = activation.Account;
        account.Adopt(_policy, _policy.GrainLimit(seats), now);
        if (!account.Has(tokens, now)) return null;
        if (account.Plan(tokens, now) is { } reservation)
        {
            if (!activation.Slot.TryWrite(activation.Silo.Stamped(reservation.Level)))
            {
                // The version check failed: this activation goes, the next one loads.
                if (ReferenceEquals(activation, _stale)) _stale = _active;
                if (ReferenceEquals(activation, _active)) _active = Activate(activation.Silo);
                return null;
            }

            account.Commit(reservation);
        }

        return account.TrySpend(tokens, now) ? now : null;
    }

    private void Renew(GatewayModel gateway, SeatActivation seats, bool answerIsLost)
    {
        var calledAt = _time.GetTimestamp();
        if (Write(seats, gateway.Id) is not var (index, term, freeSince) || answerIsLost) return;
        var freeMillis = (long)Math.Min(_time.GetElapsedTime(freeSince).TotalMilliseconds, long.MaxValue / 2);
        gateway.Accept(new GatewaySeat([_policy], index, term, freeMillis, (long)GatewaySeatsGrain.Lease.TotalMilliseconds), calledAt);
    }

    private void Count(SiloModel silo, SeatActivation seats, bool answerIsLost)
    {
        var calledAt = _time.GetTimestamp();
        if (Write(seats, null) is null || answerIsLost) return;
        silo.Accept(seats.Seats.Count, calledAt);
    }

    private (int Index, long Term, long FreeSince)? Write(SeatActivation seats, Guid? gatewayId)
    {
        var plan = seats.Seats.Plan(gatewayId, _time.GetTimestamp());
        if (seats.Slot.TryWrite(plan.State)) return seats.Seats.Commit(plan, _time.GetTimestamp());
        if (ReferenceEquals(seats, _staleSeats)) _staleSeats = _seats;
        else _seats = ActivateSeats();
        return null;
    }

    // The old activation is not gone for sure: it stays reachable as the stale one.
    private void CrashGrain(SiloModel silo)
    {
        _stale = _active;
        _active = Activate(silo);
    }

    private void Close(SiloModel silo)
    {
        if (_policy.Window >= QuotaAccount.LastingWindow && _active.Slot.Exists)
            _active.Slot.TryWrite(_active.Silo.Stamped(_active.Account.Close(_time.GetTimestamp())));

        if (ReferenceEquals(_stale, _active)) _stale = _active = Activate(silo);
        else _active = Activate(silo);
    }

    private void CrashSeats()
    {
        _staleSeats = _seats;
        _seats = ActivateSeats();
    }

    private Activation Activate(SiloModel silo)
    {
        var slot = _quotaStore.Read();
        var now = _time.GetTimestamp();
        var limit = _policy.GrainLimit(silo.Seats(now) ?? int.MaxValue);
        var frequency = _time.TimestampFrequency;
        var account = slot.Value is { } stored
            ? new QuotaAccount(_policy, limit, frequency, stored, stored.LatestReading(now, frequency, silo.UtcNow, MaxClockSkew), now)
            : new QuotaAccount(_policy, limit, frequency, now);
        return new Activation(silo, account, slot);
    }

    private SeatActivation ActivateSeats()
    {
        var slot = _seatStore.Read();
        return new SeatActivation(
            new GatewaySeats(
                SpareSeats,
                GatewaySeatsGrain.LeaseTicks(_time.TimestampFrequency),
                () => _policy.WindowTicks(_time.TimestampFrequency),
                slot.Value,
                _time.GetTimestamp()),
            slot);
    }

    private sealed class GatewayModel(TimeProvider time)
    {
        private PolicySet _set = PolicySet.None;

        public Guid Id { get; } = Guid.NewGuid();

        public QuotaSlices Slices { get; } = new(16, time);

        public SlicedPolicy? Policy => _set.Policies.Length == 0 ? null : _set.Policies[0];

        public void Accept(in GatewaySeat seat, long calledAt)
        {
            _set = _set.With(seat, time.GetTimestamp(), time.TimestampFrequency);
            Slices.Extend(seat.Term, seat.Index >= 0 ? calledAt + seat.LeaseMillis * time.TimestampFrequency / 1000 : calledAt);
        }
    }

    private sealed class SiloModel(TimeProvider time)
    {
        private int _seats;
        private long _until = long.MinValue;

        private TimeSpan _wallClockAhead;

        public DateTimeOffset UtcNow => time.GetUtcNow() + _wallClockAhead;

        public int? Seats(long now) => now < _until ? _seats : null;

        public void SetWallClock(TimeSpan ahead) => _wallClockAhead = ahead;

        public QuotaLevel? Stamped(QuotaLevel? level) => level?.AsOf == 0 ? level with { AsOf = UtcNow.ToUnixTimeMilliseconds() } : level;

        public void Accept(int seats, long calledAt) =>
            (_seats, _until) = (seats, calledAt + (long)GatewaySeatsGrain.Lease.TotalSeconds * time.TimestampFrequency);
    }

    private sealed record Activation(SiloModel Silo, QuotaAccount Account, Versioned<QuotaLevel>.Slot Slot);

    private sealed record SeatActivation(GatewaySeats Seats, Versioned<GatewaySeatsState>.Slot Slot);

    private sealed class Versioned<T> where T : class
    {
        private T? _value;
        private int _version;

        public Slot Read() => new(this, _version, _value);

        public sealed class Slot(Versioned<T> store, int version, T? value)
        {
            private int _version = version;

            public T? Value => value;

            public bool Exists => store._value is not null;

            public bool TryWrite(T? next)
            {
                if (_version != store._version) return false;
                store._value = next;
                _version = ++store._version;
                return true;
            }
        }
    }
}
