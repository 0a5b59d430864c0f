namespace HeartGrains.Gateway.Diagnostics;

/// <summary>Lets one in each period pass and counts the others.</summary>
internal sealed class LogThrottle(long periodTicks)
{
    private long _next = long.MinValue;
    private int _count;

    /// <summary>True when it is time; <paramref name="count"/> is how many came since then, this one included.</summary>
    public bool TryPass(long now, out int count)
    {
        count = 0;
        Interlocked.Increment(ref _count);
        var next = Volatile.Read(ref _next);
        if (now < next || Interlocked.CompareExchange(ref _next, now + periodTicks, next) != next) return false;
        count = Interlocked.Exchange(ref _count, 0);
        return true;
    }
}
