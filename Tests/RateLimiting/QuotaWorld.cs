using HeartGrains.Gateway.RateLimiting;
using HeartGrains.RateLimiting;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.RateLimiting;

/// <summary>One user, three gateways, up to two activations of each grain, a store with a version check, a clock.</summary>
internal sealed class QuotaWorld
{
    public const int RenewAction = 45;
    private const string User = "u456";
    private const int LeaseSeconds = 15;

    private readonly FakeTimeProvider _time = new();
    private readonly RateLimitOptions _options;
    private readonly QuotaShare _share;
    private readonly GatewayModel[] _gateways;
    private readonly Versioned<QuotaState> _quotaStore = new();
    private readonly Versioned<Guid[]> _seatStore = new();
    private readonly List<long> _admittedAt = [];
    private UserActivation _active;
    private UserActivation _stale;
    private SeatActivation _seats;
    private SeatActivation _staleSeats;

    public QuotaWorld(int limit, int perSecond, int slice, int seats)
    {
        _options = new RateLimitOptions { TokenLimit = limit, TokensPerPeriod = perSecond, SliceTokens = slice, GatewaySeats = seats };
        _share = _options.GrainShare(_time.TimestampFrequency);
        _gateways = [.. Enumerable.Range(0, 3).Select(_ => new GatewayModel(_time))];
        _active = _stale = ActivateUser();
        _seats = _staleSeats = ActivateSeats();
    }

    public int Admitted => _admittedAt.Count;

    public void Step(int pause, int action, int gateway, int burst)
    {
        _time.Advance(TimeSpan.FromMilliseconds(pause));
        switch (action)
        {
            case < 40: Call(_gateways[gateway], burst, () => _active); break;
            case < 45: Call(_gateways[gateway], burst, () => _stale); break;
            case < 65: Renew(_gateways[gateway], _seats, answerIsLost: action == 64); break;
            case < 72: Renew(_gateways[gateway], _staleSeats, answerIsLost: false); break;
            case < 80: _gateways[gateway] = new GatewayModel(_time); break;
            case < 87: CrashGrain(); break;
            case < 93: Close(); break;
            default: CrashSeats(); break;
        }
    }

    /// <summary>Looks at every window that starts and ends with an admission.</summary>
    public void ShouldKeepTheBound()
    {
        for (var first = 0; first < _admittedAt.Count; first++)
        {
            for (var last = first; last < _admittedAt.Count; last++)
            {
                var seconds = _time.GetElapsedTime(_admittedAt[first], _admittedAt[last]).TotalSeconds;
                var bound = _options.TokenLimit + _options.TokensPerSecond * seconds + 1e-9;
                if (last - first + 1 > bound)
                    throw new InvalidOperationException($"{last - first + 1} admitted within {seconds} s, at most {bound} allowed.");
            }
        }
    }

    private void Call(GatewayModel gateway, int calls, Func<UserActivation> route)
    {
        for (var call = 0; call < calls; call++)
        {
            if (gateway.Slices.TryAcquire(User, out _, out _) || AskGrain(route())) _admittedAt.Add(_time.GetTimestamp());
        }
    }

    private bool AskGrain(UserActivation activation)
    {
        var now = _time.GetTimestamp();
        if (activation.Quota.TrySpend(1, now)) return true;
        if (activation.Quota.Plan(1, now) is not { } reservation) return false;
        if (!activation.Slot.TryWrite(reservation.State))
        {
            // The version check failed: this activation goes, the next one loads.
            if (ReferenceEquals(activation, _stale)) _stale = _active;
            if (ReferenceEquals(activation, _active)) _active = ActivateUser();
            return false;
        }

        activation.Quota.Commit(reservation);
        return activation.Quota.TrySpend(1, now);
    }

    private void Renew(GatewayModel gateway, SeatActivation seats, bool answerIsLost)
    {
        var calledAt = _time.GetTimestamp();
        if (_options.EffectiveSliceTokens == 0) return;
        if (seats.Seats.Plan(gateway.Id, calledAt) is not { } holders) return;
        if (!seats.Slot.TryWrite(holders))
        {
            if (ReferenceEquals(seats, _staleSeats)) _staleSeats = _seats;
            else _seats = ActivateSeats();
            return;
        }

        seats.Seats.Commit(holders, gateway.Id, calledAt);
        if (answerIsLost) return;
        var share = QuotaShare.Of(_options.EffectiveSliceTokens, _options.TokenLimit, _options.TokensPerSecond, _time.TimestampFrequency);
        gateway.Slices.Grant(share, calledAt + LeaseSeconds * _time.TimestampFrequency);
    }

    // The old activation is not gone for sure: it stays reachable as the stale one.
    private void CrashGrain()
    {
        _stale = _active;
        _active = ActivateUser();
    }

    private void Close()
    {
        if (_active.Slot.Exists) _active.Slot.TryWrite(_active.Quota.Close(_time.GetTimestamp()));
        if (ReferenceEquals(_stale, _active)) _stale = _active = ActivateUser();
        else _active = ActivateUser();
    }

    private void CrashSeats()
    {
        _staleSeats = _seats;
        _seats = ActivateSeats();
    }

    private UserActivation ActivateUser()
    {
        var slot = _quotaStore.Read();
        return new UserActivation(new UserQuota(_share, 15 * _time.TimestampFrequency, slot.Value, _time.GetTimestamp()), slot);
    }

    private SeatActivation ActivateSeats()
    {
        var slot = _seatStore.Read();
        var fill = (long)Math.Ceiling(_options.FillTime.TotalSeconds * _time.TimestampFrequency);
        var reuse = LeaseSeconds * _time.TimestampFrequency + fill + _time.TimestampFrequency;
        return new SeatActivation(new GatewaySeats(_options.GatewaySeats, reuse, slot.Value ?? [], _time.GetTimestamp()), slot);
    }

    private sealed class GatewayModel(TimeProvider time)
    {
        public Guid Id { get; } = Guid.NewGuid();

        public QuotaSlices Slices { get; } = new(16, time);
    }

    private sealed record UserActivation(UserQuota Quota, Versioned<QuotaState>.Slot Slot);

    private sealed record SeatActivation(GatewaySeats Seats, Versioned<Guid[]>.Slot Slot);

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
