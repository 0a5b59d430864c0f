namespace HeartGrains.RateLimiting;

/// <summary>
/// A token bucket over a monotonic clock. Its content is kept in clock ticks (a token is <see cref="QuotaShare.TicksPerToken"/> of
/// them), so that refilling is adding the time that passed: exact integers, no drift, however long it idles. Not thread-safe.
/// </summary>
public sealed class TokenBucket
{
    private readonly QuotaShare _share;
    private long _levelTicks;
    private long _refilledAt;

    /// <summary>A bucket that holds <paramref name="levelTicks"/> (at most its capacity) at <paramref name="now"/>.</summary>
    public TokenBucket(QuotaShare share, long levelTicks, long now)
    {
        _share = share;
        _levelTicks = Math.Clamp(levelTicks, 0, share.FillTicks);
        _refilledAt = now;
    }

    /// <summary>What the bucket holds, as of the last refill.</summary>
    public long LevelTicks => _levelTicks;

    /// <summary>Whole tokens in the bucket, as of the last refill.</summary>
    public int WholeTokens => (int)(_levelTicks / _share.TicksPerToken);

    /// <summary>Tokens taken out that may yet be spent: until they are, they occupy room, and the bucket fills only up to the rest.</summary>
    public int Reserved { get; set; }

    /// <summary>Adds what came back since the last refill. A clock reading from before it adds nothing.</summary>
    public void Refill(long now)
    {
        var elapsed = now - _refilledAt;
        if (elapsed <= 0) return;
        _refilledAt = now;
        var room = Math.Max(0, _share.FillTicks - Reserved * _share.TicksPerToken - _levelTicks);
        _levelTicks += Math.Min(room, elapsed);
    }

    /// <summary>Takes <paramref name="tokens"/>, all or none.</summary>
    public bool TryTake(int tokens, long now)
    {
        Refill(now);
        var ticks = tokens * _share.TicksPerToken;
        if (ticks > _levelTicks) return false;
        _levelTicks -= ticks;
        return true;
    }

    /// <summary>Puts back tokens that were taken and are certain never to be spent.</summary>
    public void Return(int tokens) =>
        _levelTicks = Math.Min(_share.FillTicks, _levelTicks + tokens * _share.TicksPerToken);
}
