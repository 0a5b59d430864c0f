namespace HeartGrains.Diagnostics;

/// <summary>Lets the first of each period pass and counts the others: for log lines and traces, which must not grow with the load.</summary>
/// <param name="periodTicks">The period, in ticks of the clock that <see cref="TryPass"/> is told of.</param>
/// <param name="limit">How many pass in a period.</param>
public sealed class Throttle(long periodTicks, int limit = 1)
{
    private long _next = long.MinValue;
    private int _passed;
    private int _count;

    /// <summary>True while fewer have passed than may; <paramref name="count"/> is how many came since one last did, this one included.</summary>
    public bool TryPass(long now, out int count)
    {
        count = 0;
        Interlocked.Increment(ref _count);
        var next = Volatile.Read(ref _next);
        if (now >= next && Interlocked.CompareExchange(ref _next, now + periodTicks, next) == next) Volatile.Write(ref _passed, 0);
        if (Volatile.Read(ref _passed) >= limit || Interlocked.Increment(ref _passed) > limit) return false;
        count = Interlocked.Exchange(ref _count, 0);
        return true;
    }
}
