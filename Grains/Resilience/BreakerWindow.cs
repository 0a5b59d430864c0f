namespace HeartGrains.Resilience;

/// <summary>What the calls of the last window were like.</summary>
/// <param name="Calls">How many there were.</param>
/// <param name="Failures">How many failed.</param>
/// <param name="Slow">How many took longer than the threshold, failed or not.</param>
/// <param name="Bad">How many did one or the other.</param>
/// <param name="P95">The 95th percentile of their latency, up to 6 % more than it was.</param>
public readonly record struct BreakerReading(int Calls, int Failures, int Slow, int Bad, TimeSpan P95)
{
    /// <summary>Failures to calls, 0 to 1.</summary>
    public double FailureRate => Calls == 0 ? 0 : (double)Failures / Calls;

    /// <summary>Answers that were good and in time, to calls: 1 when there were none.</summary>
    public double Health => Calls == 0 ? 1 : 1 - ((double)Bad / Calls);

    /// <summary>The 95th percentile is over the threshold, exactly: more than one call in twenty was.</summary>
    public bool IsSlow => Slow > Calls / 20;
}

/// <summary>
/// The arithmetic of a breaker: counts and a latency histogram for each of <see cref="Slots"/> parts of a sliding window. Recording is one or a few atomic increments, without
/// lock or allocation; the window slides when <see cref="Read"/> is called, which is for one thread at a time. Time is a monotonic clock's reading in ticks.
/// </summary>
public sealed class BreakerWindow
{
    /// <summary>Parts of the window: it covers the current one, and those before it.</summary>
    public const int Slots = 50;

    private const int Failures = LatencyBuckets.Count;
    private const int Slow = Failures + 1;
    private const int Bad = Slow + 1;
    private const int Width = Bad + 1;

    private readonly int[][] _slots;
    private readonly int[] _sums = new int[Width];
    private readonly long _slotTicks;
    private readonly long _slowTicks;
    private readonly double _microsPerTick;
    private long _started;
    private int[] _current;

    /// <summary>An empty window.</summary>
    /// <param name="window">Its length; rounded up to whole ticks for each slot.</param>
    /// <param name="slow">What takes longer is slow.</param>
    /// <param name="ticksPerSecond">Of the clock.</param>
    /// <param name="now">Its reading.</param>
    public BreakerWindow(TimeSpan window, TimeSpan slow, long ticksPerSecond, long now)
    {
        _slots = new int[Slots][];
        for (var slot = 0; slot < Slots; slot++) _slots[slot] = new int[Width];
        _slotTicks = Math.Max(1, (long)Math.Ceiling(window.TotalSeconds * ticksPerSecond / Slots));
        _slowTicks = (long)(slow.TotalSeconds * ticksPerSecond);
        _microsPerTick = 1e6 / ticksPerSecond;
        _started = now - (now % _slotTicks);
        _current = _slots[0];
    }

    /// <summary>Records a call that took so many ticks. Safe for many threads.</summary>
    public void Record(long latencyTicks, bool hasFailed)
    {
        var slot = Volatile.Read(ref _current);
        Interlocked.Increment(ref slot[LatencyBuckets.IndexOf((long)(latencyTicks * _microsPerTick))]);
        var isSlow = latencyTicks > _slowTicks;
        if (!isSlow && !hasFailed) return;
        if (hasFailed) Interlocked.Increment(ref slot[Failures]);
        if (isSlow) Interlocked.Increment(ref slot[Slow]);
        Interlocked.Increment(ref slot[Bad]);
    }

    /// <summary>Slides to <paramref name="now"/> and adds up what the window holds.</summary>
    public BreakerReading Read(long now)
    {
        Slide(now);
        Array.Clear(_sums);
        foreach (var slot in _slots)
            for (var index = 0; index < Width; index++) _sums[index] += slot[index];

        var calls = 0;
        foreach (var count in _sums.AsSpan(0, LatencyBuckets.Count)) calls += count;
        return new BreakerReading(calls, _sums[Failures], _sums[Slow], _sums[Bad], LatencyBuckets.P95(_sums, calls));
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        foreach (var slot in _slots) Array.Clear(slot);
    }

    private void Slide(long now)
    {
        var steps = Math.Max(0, now - _started) / _slotTicks;
        if (steps == 0) return;
        var current = Array.IndexOf(_slots, _current);
        for (var step = Math.Min(steps, Slots); step > 0; step--)
        {
            current = (current + 1) % Slots;
            Array.Clear(_slots[current]);
        }

        _started += steps * _slotTicks;
        Volatile.Write(ref _current, _slots[current]);
    }
}
