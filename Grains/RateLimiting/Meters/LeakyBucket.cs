namespace HeartGrains.RateLimiting.Meters;

/// <summary>
/// A leaky bucket as a meter (J. Turner, "New directions in communications", 1986; ITU-T I.371), not as a queue: each token pours its
/// volume in, what would overflow is refused at once, and a full bucket runs dry in <see cref="DrainTicks"/>. It is the mirror image of a
/// <see cref="TokenBucket"/>, whose content is the room left here, and of equal figures it admits the same.
/// </summary>
public sealed class LeakyBucket : FluidMeter
{
    /// <summary>A bucket with a given room.</summary>
    /// <param name="limit">Its capacity, 0 to <see cref="QuotaMeter.MaxLimit"/> tokens.</param>
    /// <param name="drainTicks">Clock ticks from full to dry, 1 to <see cref="QuotaMeter.MaxPeriodTicks"/>.</param>
    /// <param name="now">The clock reading.</param>
    /// <param name="available">Whole tokens there is room for, more than the limit is a dry bucket, fewer than none one filled beyond its brim.</param>
    /// <param name="availableMillionths">Millionths of a token there is room for besides, 0 to 999,999; rounded down.</param>
    public LeakyBucket(long limit, long drainTicks, long now, long available, int availableMillionths = 0)
        : base(limit, drainTicks, now, available, availableMillionths)
    {
    }

    /// <summary>Clock ticks in which a full bucket runs dry.</summary>
    public long DrainTicks => PeriodTicks;
}
