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
    private QuotaLevel? _stored;
    private QuotaMeter _meter;
    private long _inHand;
    private long _inHandUntil;
    private long _lent;
    private readonly long _lentUntil;

    /// <summary>Whole: nothing is stored.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="limit">The grain's share of its limit.</param>
    /// <param name="ticksPerSecond">Of the monotonic clock.</param>
    /// <param name="now">Its reading.</param>
    public QuotaAccount(QuotaPolicy policy, long limit, long ticksPerSecond, long now)
        : this(policy, limit, ticksPerSecond, Whole(limit), now, now)
    {
    }

    /// <summary>
    /// Starts from what is stored. What came back since then came at the lesser of the shares: a seat that went since has still given away its own.
    /// </summary>
    /// <param name="policy">The policy.</param>
    /// <param name="limit">The grain's share of its limit.</param>
    /// <param name="ticksPerSecond">Of the monotonic clock.</param>
    /// <param name="stored">The stored level.</param>
    /// <param name="at">The latest reading of the monotonic clock that the level can be of.</param>
    /// <param name="now">Its reading.</param>
    public QuotaAccount(QuotaPolicy policy, long limit, long ticksPerSecond, QuotaLevel stored, long at, long now)
    {
        (Policy, _ticksPerSecond) = (policy, ticksPerSecond);
        _lent = stored.InHand;
        _lentUntil = at + (long)(HandTicks * ClockMargin);
        _meter = CreateMeter(Math.Min(limit, stored.Share), stored, at);
        Adopt(policy, limit, now);
        _stored = stored.IsWhole ? null : stored;
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

        var level = Snapshot();

        // What is in hand is within the share as well: the rest of it will be somebody else's.
        var room = Math.Max(0, limit - level.Spent - (level.Millionths > 0 ? 1 : 0) - _lent);
        _meter.Release(_inHand - Math.Min(_inHand, room));
        _inHand = Math.Min(_inHand, room);
        if (policy != Policy) _stored = null;
        Policy = policy;
        _meter = CreateMeter(limit, level with { InHand = _meter.Held }, now);
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
        var level = Snapshot();
        return new QuotaReservation(taken, now + HandTicks, level with { InHand = level.InHand + taken });
    }

    /// <summary>Takes over a reservation that is stored now, planned since the last other call.</summary>
    public void Commit(QuotaReservation reservation)
    {
        _meter.Hold(reservation.Tokens);
        _inHand += reservation.Tokens;
        _inHandUntil = reservation.Until;
        _stored = null;
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

    /// <summary>
    /// What is stored beside a reservation of another policy: what was loaded, as long as it still tells, which is more than can be told of it now; null when nothing is missing.
    /// </summary>
    public QuotaLevel? Level(long now)
    {
        Settle(now);
        var level = Snapshot();
        return level.IsWhole ? null : _stored ?? level;
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
        _stored = null;
        _meter = CreateMeter(Limit, Whole(Limit), now);
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

    private static QuotaLevel Whole(long limit) => new(0, 0, 0, limit);

    private QuotaLevel Snapshot()
    {
        var (spent, millionths) = _meter.Spent;
        var level = new QuotaLevel(spent, millionths, _meter.Held, Limit);
        return _meter is SlidingWindow window && spent > 0
            ? level with
            {
                SegmentAge = (long)((Int128)window.SegmentAge * 1_000 / _ticksPerSecond),
                Earlier = [.. window.Earlier.Select(part => new QuotaSpending(Millis(part.TicksAgo), part.Tokens))],
            }
            : level;
    }

    private QuotaMeter CreateMeter(long limit, QuotaLevel level, long at)
    {
        var window = Policy.WindowTicks(_ticksPerSecond);
        if (Policy.Algorithm == QuotaAlgorithm.SlidingWindow) return CreateWindow(limit, window, level, at);

        // Under a lower limit than it was spent under, nobody waits longer than all of it takes to come back.
        var (spent, rest) = level.Spent < Policy.Limit ? (level.Spent, level.Millionths) : (Policy.Limit, 0);
        var available = limit - spent - (rest == 0 ? 0 : 1);
        var millionths = rest == 0 ? 0 : 1_000_000 - rest;
        QuotaMeter meter = Policy.Algorithm == QuotaAlgorithm.LeakyBucket
            ? new LeakyBucket(limit, window, at, available, millionths)
            : new TokenBucket(limit, window, at, available, millionths);
        meter.Occupy(level.InHand);
        return meter;
    }

    /// <summary>A window with the segments of the level's, in which is spent again what was spent in them.</summary>
    private SlidingWindow CreateWindow(long limit, long window, QuotaLevel level, long at)
    {
        var segment = SlidingWindow.SegmentTicksOf(window, Policy.Segments);
        var age = Math.Min(ClockTicks.FromMillis(level.SegmentAge, _ticksPerSecond), segment - 1);
        var meter = new SlidingWindow(limit, window, Policy.Segments, at - age - (segment * Policy.Segments), limit);
        meter.Occupy(level.Spent + (level.Millionths > 0 ? 1 : 0) + level.InHand);
        foreach (var part in level.Earlier ?? [])
        {
            meter.Advance(at - ClockTicks.FromMillis(part.MillisAgo, _ticksPerSecond));
            meter.Spend(part.Tokens);
        }

        meter.Advance(at);
        meter.Spend(meter.Held - level.InHand);
        return meter;
    }

    private long Millis(long ticks) => ClockTicks.ToMillis(ticks, _ticksPerSecond);
}

/// <summary>A chunk of tokens to be taken out of the level.</summary>
/// <param name="Tokens">How many.</param>
/// <param name="Until">The clock reading from which on they must not be given.</param>
/// <param name="Level">What has to be stored first.</param>
public sealed record QuotaReservation(long Tokens, long Until, QuotaLevel Level);
