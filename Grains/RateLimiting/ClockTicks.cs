namespace HeartGrains.RateLimiting;

/// <summary>Spans of a monotonic clock.</summary>
public static class ClockTicks
{
    private const long LongestMillis = 36_500L * 86_400 * 1000;

    /// <summary>Ticks of a clock with up to 10⁹ a second, rounded down; what is longer than a hundred years is cut, so that it can be added to a time stamp.</summary>
    public static long FromMillis(long millis, long ticksPerSecond) => (long)((Int128)Math.Min(millis, LongestMillis) * ticksPerSecond / 1000);

    /// <summary>Milliseconds, at least 0, rounded up, so that nobody comes back too early; <see cref="long.MaxValue"/>, which stands for never, stays.</summary>
    public static long ToMillis(long ticks, long ticksPerSecond) =>
        ticks == long.MaxValue ? long.MaxValue
        : ticks <= 0 ? 0
        : (long)(((Int128)ticks * 1000 + ticksPerSecond - 1) / ticksPerSecond);
}
