namespace HeartGrains.RateLimiting.Meters;

/// <summary>
/// A token bucket: it holds at most <see cref="QuotaMeter.Limit"/> tokens, gets them back steadily, and each admission takes some out.
/// Held tokens occupy room: the bucket fills up to limit − held, and goes on from there once they are spent. Over every span of t ticks,
/// admitted ≤ limit + t × limit ÷ <see cref="FillTicks"/> (the rT + b of RFC 2211).
/// </summary>
public sealed class TokenBucket : FluidMeter
{
    /// <summary>A bucket with a given content.</summary>
    /// <param name="limit">Its capacity, 0 to <see cref="QuotaMeter.MaxLimit"/> tokens.</param>
    /// <param name="fillTicks">Clock ticks from empty to full, 1 to <see cref="QuotaMeter.MaxPeriodTicks"/>.</param>
    /// <param name="now">The clock reading.</param>
    /// <param name="available">Whole tokens in it, more than fit are as many as fit; fewer than none were spent beyond the limit.</param>
    /// <param name="availableMillionths">Millionths of a token in it besides, 0 to 999,999; rounded down to what a tick brings.</param>
    public TokenBucket(long limit, long fillTicks, long now, long available, int availableMillionths = 0)
        : base(limit, fillTicks, now, available, availableMillionths)
    {
    }

    /// <summary>Clock ticks in which an empty bucket gets full.</summary>
    public long FillTicks => PeriodTicks;
}
