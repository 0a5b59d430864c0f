namespace HeartGrains.Gateway.Overload;

/// <summary>
/// The generic cell rate algorithm: a token bucket whose whole state is one word, the time at which the next call is due. Lock-free; a change of the rate
/// counts from the next call. Unlike <see cref="RateLimiting.LocalTokenBucket"/> it promises no bound over a change, and prepays nothing: a limit that moves ten times a
/// second over four orders of magnitude is better followed at once.
/// </summary>
internal sealed class RateGate(TimeProvider timeProvider)
{
    private long _due = long.MinValue / 2; // Long ago: it starts with a whole burst.
    private long _spacing;
    private long _burst;

    /// <summary>Lets <paramref name="perSecond"/> calls pass, and as many at once as fall due in <paramref name="burst"/>.</summary>
    public void Set(double perSecond, TimeSpan burst)
    {
        Volatile.Write(ref _spacing, (long)(timeProvider.TimestampFrequency / perSecond));
        Volatile.Write(ref _burst, (long)(timeProvider.TimestampFrequency * burst.TotalSeconds));
    }

    /// <summary>Whether one more call may pass now.</summary>
    public bool TryPass()
    {
        var now = timeProvider.GetTimestamp();
        var earliest = now - Volatile.Read(ref _burst);
        var spacing = Volatile.Read(ref _spacing);
        for (var due = Volatile.Read(ref _due); due <= now;)
        {
            var seen = Interlocked.CompareExchange(ref _due, Math.Max(due, earliest) + spacing, due);
            if (seen == due) return true;
            due = seen;
        }

        return false;
    }
}
