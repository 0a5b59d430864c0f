using HeartGrains.Resilience;

namespace HeartGrains.Gateway.Overload;

/// <summary>
/// Latencies since the last look, in <see cref="LatencyBuckets"/>. Recording is one atomic increment; a look takes the counts out one by one, so a record during it falls into this look or the next, and none is lost.
/// </summary>
internal sealed class LatencyWindow
{
    private readonly int[] _counts = new int[LatencyBuckets.Count];
    private readonly int[] _taken = new int[LatencyBuckets.Count];
    private int _takenTotal;
    private int _looks;

    /// <summary>Records a latency. Safe for many threads.</summary>
    public void Record(TimeSpan latency) => Interlocked.Increment(ref _counts[LatencyBuckets.IndexOf(latency.Ticks / TimeSpan.TicksPerMicrosecond)]);

    /// <summary>
    /// The 95th percentile of what was recorded since this last gave one, as its bucket's upper bound. With fewer than <paramref name="leastSamples"/> it gives none and
    /// waits for more, and forgets them after <paramref name="lookLimit"/> looks. For one thread.
    /// </summary>
    public TimeSpan? TakeP95(int leastSamples, int lookLimit)
    {
        for (var bucket = 0; bucket < LatencyBuckets.Count; bucket++)
        {
            if (Volatile.Read(ref _counts[bucket]) == 0) continue;
            var count = Interlocked.Exchange(ref _counts[bucket], 0);
            _taken[bucket] += count;
            _takenTotal += count;
        }

        var isEnough = _takenTotal >= leastSamples;
        if (!isEnough && ++_looks < lookLimit) return null;

        TimeSpan? p95 = isEnough ? LatencyBuckets.P95(_taken, _takenTotal) : null;
        Array.Clear(_taken);
        (_takenTotal, _looks) = (0, 0);
        return p95;
    }
}
