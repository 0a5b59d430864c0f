namespace HeartGrains.RateLimiting;

/// <summary>
/// The decisions of a <see cref="RateLimitGrain"/>, without Orleans. Tokens leave the stored bucket in chunks before any of them is spent:
/// <see cref="Plan"/> says what to store, <see cref="Commit"/> takes it over once it is stored. A chunk in hand expires, and still counts
/// as content of the bucket until then, also for whoever loads the state after a crash or beside a stale activation; so bucket and hands
/// together never hold more than the share. Not thread-safe.
/// </summary>
public sealed class UserQuota
{
    /// <summary>How many tokens are reserved with one write, if there are as many.</summary>
    public const int ChunkTokens = 10;

    private const long MicrotokensPerToken = 1_000_000;

    private readonly QuotaShare _share;
    private readonly TokenBucket _bucket;
    private readonly long _handTicks;
    private int _inHand;
    private long _inHandUntil;
    private int _lent;
    private readonly long _lentUntil;

    /// <summary>Starts from what is stored; from a full bucket when nothing is.</summary>
    /// <param name="share">The grain's share of the user's quota.</param>
    /// <param name="handTicks">How long a chunk may be spent, counted from before it was stored.</param>
    /// <param name="stored">The stored state, or null.</param>
    /// <param name="now">The monotonic clock, after the state was read.</param>
    public UserQuota(QuotaShare share, long handTicks, QuotaState? stored, long now)
    {
        _share = share;
        _handTicks = handTicks;
        _lent = Math.Clamp(stored?.TokensInHand ?? 0, 0, share.Tokens);
        _lentUntil = now + handTicks;
        var room = share.FillTicks - _lent * share.TicksPerToken;
        _bucket = new TokenBucket(share, stored is null ? room : Math.Min(room, Ticks(stored.Microtokens)), now) { Reserved = _lent };
    }

    /// <summary>Spends tokens in hand; needs no write.</summary>
    public bool TrySpend(int tokens, long now)
    {
        Settle(now);
        if (tokens > _inHand) return false;
        _inHand -= tokens;
        _bucket.Reserved = _inHand + _lent;
        return true;
    }

    /// <summary>What to store so that <paramref name="tokens"/> can be spent; null when the user does not have them.</summary>
    public QuotaReservation? Plan(int tokens, long now)
    {
        Settle(now);
        var missing = tokens - _inHand;
        if (missing > _bucket.WholeTokens) return null;
        var taken = Math.Min(Math.Max(missing, ChunkTokens), _bucket.WholeTokens);
        var left = _bucket.LevelTicks - taken * _share.TicksPerToken;
        return new QuotaReservation(
            taken, now + _handTicks, new QuotaState { Microtokens = Microtokens(left), TokensInHand = _inHand + _lent + taken });
    }

    /// <summary>Takes over a reservation that is stored now, planned since the last other call.</summary>
    public void Commit(QuotaReservation reservation)
    {
        _bucket.Return(-reservation.Tokens);
        _inHand += reservation.Tokens;
        _inHandUntil = reservation.Until;
        _bucket.Reserved = _inHand + _lent;
    }

    /// <summary>Whole tokens the user can spend at the grain.</summary>
    public int Remaining(long now)
    {
        Settle(now);
        return _inHand + _bucket.WholeTokens;
    }

    /// <summary>How long until <paramref name="tokens"/> (at most the share) are there, when nothing is spent meanwhile.</summary>
    public long TicksUntil(int tokens, long now)
    {
        Settle(now);
        var missing = (tokens - _inHand) * _share.TicksPerToken - _bucket.LevelTicks;
        if (missing <= 0) return 0;
        if (tokens <= _share.Tokens - _lent) return missing;

        // While tokens are lent the bucket fills only to the brim they leave; the rest comes after that.
        var wait = _lentUntil - now;
        var room = _share.FillTicks - (_inHand + _lent) * _share.TicksPerToken - _bucket.LevelTicks;
        return wait + Math.Max(0, missing - Math.Min(room, wait));
    }

    /// <summary>What to store when the last token has been given: null when the bucket is full, which is what no row means.</summary>
    public QuotaState? Close(long now)
    {
        Settle(now);
        _bucket.Return(_inHand);
        _inHand = 0;
        _bucket.Reserved = _lent;
        if (_lent == 0 && _bucket.LevelTicks == _share.FillTicks) return null;
        return new QuotaState { Microtokens = Microtokens(_bucket.LevelTicks), TokensInHand = _lent };
    }

    private void Settle(long now)
    {
        if (_lent > 0 && now >= _lentUntil)
        {
            _bucket.Refill(_lentUntil);
            _lent = 0;
            _bucket.Reserved = _inHand;
        }

        _bucket.Refill(now);
        if (_inHand > 0 && now >= _inHandUntil)
        {
            _bucket.Return(_inHand);
            _inHand = 0;
            _bucket.Reserved = _lent;
        }
    }

    private long Microtokens(long ticks) => (long)((Int128)ticks * MicrotokensPerToken / _share.TicksPerToken);

    private long Ticks(long microtokens) => (long)((Int128)Math.Max(0, microtokens) * _share.TicksPerToken / MicrotokensPerToken);
}

/// <summary>A chunk of tokens to be taken out of the bucket.</summary>
/// <param name="Tokens">How many.</param>
/// <param name="Until">The clock reading from which on they must not be spent.</param>
/// <param name="State">What has to be stored first.</param>
public sealed record QuotaReservation(int Tokens, long Until, QuotaState State);
