using HeartGrains.RateLimiting.Meters;

namespace HeartGrains.RateLimiting;

/// <summary>
/// One key under one policy, at its grain. Tokens of a lasting policy leave the stored level in chunks before any of them is given:
/// <see cref="Plan"/> says what to store, <see cref="Commit"/> takes it over once it is stored. A chunk in hand expires, and still counts as held
/// until then, also for whoever loads the state after a crash or beside a stale activation; so level and hands together never hold more than
/// the limit. Not thread-safe.
/// </summary>
public sealed class QuotaAccount
{
    /// <summary>Policies whose window is at least this long are stored; a restart may forget shorter ones.</summary>
    public static readonly TimeSpan LastingWindow = TimeSpan.FromMinutes(1);

    private const int MinChunkTokens = 10;
    private const int HandSeconds = 15;

    // Two machines' clocks do not run at quite the same rate: who counts on another's hand waits a little longer.
    private const double ClockMargin = 1.01;

    private readonly long _ticksPerSecond;
    private QuotaMeter _meter;
    private long _inHand;
    private long _inHandUntil;
    private long _lent;
    private readonly long _lentUntil;

    /// <summary>Starts from what is stored; whole when nothing is.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="limit">The grain's share of its limit.</param>
    /// <param name="ticksPerSecond">Of the monotonic clock.</param>
    /// <param name="stored">The stored level, or null.</param>
    /// <param name="now">The monotonic clock, after the state was read.</param>
    public QuotaAccount(QuotaPolicy policy, long limit, long ticksPerSecond, QuotaLevel? stored, long now)
    {
        (Policy, _ticksPerSecond) = (policy, ticksPerSecond);
        _lent = stored?.InHand ?? 0;
        _lentUntil = now + (long)(HandTicks * ClockMargin);
        _meter = CreateMeter(limit, (stored?.Spent ?? 0, stored?.Millionths ?? 0), _lent, now);
    }

    /// <summary>The policy in force.</summary>
    public QuotaPolicy Policy { get; private set; }

    /// <summary>The grain's share of the limit.</summary>
    public long Limit => _meter.Limit;

    /// <summary>Its level outlives the activation.</summary>
    public bool IsStored => Policy.Window >= LastingWindow;

    private long HandTicks => HandSeconds * _ticksPerSecond;

    /// <summary>
    /// Goes over to a changed policy or share: what was spent stays spent, as far as the new algorithm can tell. A share that shrank and grows again gives
    /// nothing away, because what is missing does not depend on it; while more is missing than it holds, nothing is there.
    /// </summary>
    public void Adopt(QuotaPolicy policy, long limit, long now)
    {
        if (Policy == policy && Limit == limit) return;
        Settle(now);
        if (policy.Window < LastingWindow)
        {
            _meter.Release(_inHand);
            _inHand = 0;
        }

        // Under a lower limit nobody waits longer than it takes to come back; the share alone does not matter.
        var spent = _meter.Spent;
        if (policy != Policy && spent.Tokens >= limit) spent = (limit, 0);

        // What is in hand is within the share as well: the rest of it will be somebody else's.
        var room = Math.Max(0, limit - spent.Tokens - (spent.Millionths > 0 ? 1 : 0) - _lent);
        _meter.Release(_inHand - Math.Min(_inHand, room));
        _inHand = Math.Min(_inHand, room);
        Policy = policy;
        _meter = CreateMeter(limit, spent, _meter.Held, now);
    }

    /// <summary>There are <paramref name="tokens"/>.</summary>
    public bool Has(long tokens, long now)
    {
        Settle(now);
        return tokens <= _inHand + _meter.Available;
    }

    /// <summary>What to store before <paramref name="tokens"/> that are there can be spent; null when nothing.</summary>
    public QuotaReservation? Plan(long tokens, long now)
    {
        Settle(now);
        if (!IsStored || tokens <= _inHand) return null;
        var taken = Math.Min(Math.Max(tokens - _inHand, ChunkTokens), _meter.Available);
        var (spent, millionths) = _meter.Spent;
        return new QuotaReservation(taken, now + HandTicks, new QuotaLevel(spent, millionths, _meter.Held + taken));
    }

    /// <summary>Takes over a reservation that is stored now, planned since the last other call.</summary>
    public void Commit(QuotaReservation reservation)
    {
        _meter.Hold(reservation.Tokens);
        _inHand += reservation.Tokens;
        _inHandUntil = reservation.Until;
    }

    /// <summary><paramref name="tokens"/> can be spent without a write: a stored policy gives only what is in hand.</summary>
    public bool CanSpend(long tokens, long now)
    {
        Settle(now);
        return tokens <= (IsStored ? _inHand : _meter.Available);
    }

    /// <summary>Spends, if that can be done without a write.</summary>
    public bool TrySpend(long tokens, long now)
    {
        if (!CanSpend(tokens, now)) return false;
        if (!IsStored) return _meter.TryTake(tokens, now);
        _inHand -= tokens;
        _meter.Spend(tokens);
        return true;
    }

    /// <summary>Gives back what was spent at <paramref name="takenAt"/>.</summary>
    public void Return(long tokens, long takenAt, long now)
    {
        Settle(now);
        _meter.Return(tokens, takenAt);
    }

    /// <summary>How the key stands, and whether <paramref name="tokens"/> are there.</summary>
    public QuotaVerdict Judge(long tokens, long now)
    {
        var has = Has(tokens, now);
        return new QuotaVerdict(
            has, _inHand + _meter.Available, has ? 0 : Millis(TicksUntil(tokens, now)), Millis(TicksUntil(Limit, now)), Limit);
    }

    /// <summary>What is stored beside a reservation of another policy; null when nothing is missing.</summary>
    public QuotaLevel? Level(long now)
    {
        Settle(now);
        var (spent, millionths) = _meter.Spent;
        return spent == 0 && millionths == 0 && _meter.Held == 0 ? null : new QuotaLevel(spent, millionths, _meter.Held);
    }

    /// <summary>What to store when the last token has been given; null when nothing is missing, which is what no row means.</summary>
    public QuotaLevel? Close(long now)
    {
        Settle(now);
        _meter.Release(_inHand);
        _inHand = 0;
        return Level(now);
    }

    /// <summary>Makes it whole. What others may still have in hand is forgotten.</summary>
    public void Reset(long now)
    {
        _inHand = _lent = 0;
        _meter = CreateMeter(Limit, (0, 0), 0, now);
    }

    private long ChunkTokens => Math.Max(MinChunkTokens, (long)(Policy.Limit / Policy.Window.TotalSeconds));

    private long TicksUntil(long tokens, long now)
    {
        if (tokens > Limit) return long.MaxValue;
        var missing = tokens - _inHand;
        if (missing <= _meter.Available) return 0;
        var wait = _meter.TicksUntil(missing);
        if (wait != long.MaxValue || _lent == 0) return wait;

        // What is lent counts as spent at the latest when it expires; the rest comes after that.
        var later = _meter.Clone();
        later.Advance(_lentUntil);
        later.Spend(_lent);
        return _lentUntil - now + later.TicksUntil(missing);
    }

    private void Settle(long now)
    {
        if (_lent > 0 && now >= _lentUntil)
        {
            _meter.Advance(_lentUntil);
            _meter.Spend(_lent);
            _lent = 0;
        }

        _meter.Advance(now);
        if (_inHand > 0 && now >= _inHandUntil)
        {
            _meter.Release(_inHand);
            _inHand = 0;
        }
    }

    private QuotaMeter CreateMeter(long limit, (long Tokens, int Millionths) spent, long held, long now)
    {
        var isWhole = spent.Millionths == 0;
        var available = limit - spent.Tokens - (isWhole ? 0 : 1);
        var millionths = isWhole ? 0 : 1_000_000 - spent.Millionths;
        var window = Policy.WindowTicks(_ticksPerSecond);
        QuotaMeter meter = Policy.Algorithm switch
        {
            QuotaAlgorithm.SlidingWindow => new SlidingWindow(limit, window, Policy.Segments, now, available),
            QuotaAlgorithm.LeakyBucket => new LeakyBucket(limit, window, now, available, millionths),
            _ => new TokenBucket(limit, window, now, available, millionths),
        };
        meter.Occupy(held);
        return meter;
    }

    private long Millis(long ticks) => ClockTicks.ToMillis(ticks, _ticksPerSecond);
}

/// <summary>A chunk of tokens to be taken out of the level.</summary>
/// <param name="Tokens">How many.</param>
/// <param name="Until">The clock reading from which on they must not be given.</param>
/// <param name="Level">What has to be stored first.</param>
public sealed record QuotaReservation(long Tokens, long Until, QuotaLevel Level);
