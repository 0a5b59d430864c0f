using System.Numerics;

namespace HeartGrains.Gateway.Overload;

/// <summary>
/// Latencies since the last look, in a histogram with 16 buckets to a doubling (6 % wide), from 1 µs to about two minutes. Recording is one atomic increment; a look
/// takes the counts out one by one, so a record during it falls into this look or the next, and none is lost.
/// </summary>
internal sealed class LatencyWindow
{
    private const int SubBits = 4;
    private const int SubBuckets = 1 << SubBits;
    private const int TopExponent = 26;
    private const int BucketCount = (TopExponent - SubBits + 2) * SubBuckets;

    private readonly int[] _counts = new int[BucketCount];
    private readonly int[] _taken = new int[BucketCount];
    private int _takenTotal;
    private int _looks;

    /// <summary>Records a latency. Safe for many threads.</summary>
    public void Record(TimeSpan latency) => Interlocked.Increment(ref _counts[BucketOf(latency.Ticks / TimeSpan.TicksPerMicrosecond)]);

    /// <summary>
    /// The 95th percentile of what was recorded since this last gave one, as its bucket's upper bound. With fewer than <paramref name="leastSamples"/> it gives none and
    /// waits for more, and forgets them after <paramref name="lookLimit"/> looks. For one thread.
    /// </summary>
    public TimeSpan? TakeP95(int leastSamples, int lookLimit)
    {
        for (var bucket = 0; bucket < BucketCount; bucket++)
        {
            if (Volatile.Read(ref _counts[bucket]) == 0) continue;
            var count = Interlocked.Exchange(ref _counts[bucket], 0);
            _taken[bucket] += count;
            _takenTotal += count;
        }

        var isEnough = _takenTotal >= leastSamples;
        if (!isEnough && ++_looks < lookLimit) return null;

        TimeSpan? p95 = isEnough ? Percentile(_takenTotal - (_takenTotal / 20)) : null;
        Array.Clear(_taken);
        (_takenTotal, _looks) = (0, 0);
        return p95;
    }

    private TimeSpan Percentile(int rank)
    {
        var bucket = 0;
        for (var seen = _taken[0]; seen < rank; seen += _taken[bucket]) bucket++;
        return TimeSpan.FromMicroseconds(UpperBoundOf(bucket));
    }

    private static int BucketOf(long micros)
    {
        if (micros < SubBuckets) return (int)Math.Max(0, micros);
        var exponent = BitOperations.Log2((ulong)micros);
        if (exponent > TopExponent) return BucketCount - 1;
        return ((exponent - SubBits + 1) << SubBits) + (int)(micros >> (exponent - SubBits)) - SubBuckets;
    }

    private static long UpperBoundOf(int bucket)
    {
        if (bucket < SubBuckets) return bucket;
        var shift = (bucket >> SubBits) - 1;
        return ((long)(SubBuckets + (bucket & (SubBuckets - 1)) + 1) << shift) - 1;
    }
}
