namespace HeartGrains.RateLimiting;

/// <summary>Spans of a monotonic clock, for people: rounded up, so that nobody comes back too early.</summary>
public static class ClockTicks
{
    /// <summary>Milliseconds, at least 0; <see cref="long.MaxValue"/>, which stands for never, stays.</summary>
    public static long ToMillis(long ticks, long ticksPerSecond) =>
        ticks == long.MaxValue ? long.MaxValue
        : ticks <= 0 ? 0
        : (long)(((Int128)ticks * 1000 + ticksPerSecond - 1) / ticksPerSecond);
}
