using System.Numerics;

namespace HeartGrains.Resilience;

/// <summary>
/// The buckets of a fixed-size latency histogram: 16 to a doubling, so 6 % wide at most, from 1 µs to about two minutes. Below 16 µs each microsecond has its own; what is
/// longer than all is in the last.
/// </summary>
public static class LatencyBuckets
{
    private const int SubBits = 4;
    private const int SubBuckets = 1 << SubBits;
    private const int TopExponent = 26;

    /// <summary>How many there are.</summary>
    public const int Count = (TopExponent - SubBits + 2) * SubBuckets;

    /// <summary>The bucket of a latency in microseconds.</summary>
    public static int IndexOf(long micros)
    {
        if (micros < SubBuckets) return (int)Math.Max(0, micros);
        var exponent = BitOperations.Log2((ulong)micros);
        if (exponent > TopExponent) return Count - 1;
        return ((exponent - SubBits + 1) << SubBits) + (int)(micros >> (exponent - SubBits)) - SubBuckets;
    }

    /// <summary>The longest latency of a bucket, in microseconds.</summary>
    public static long UpperBoundOf(int bucket)
    {
        if (bucket < SubBuckets) return bucket;
        var shift = (bucket >> SubBits) - 1;
        return ((long)(SubBuckets + (bucket & (SubBuckets - 1)) + 1) << shift) - 1;
    }

    /// <summary>The 95th percentile of <paramref name="total"/> counts by the nearest-rank method, as its bucket's upper bound; zero when there are none.</summary>
    public static TimeSpan P95(ReadOnlySpan<int> counts, int total)
    {
        if (total == 0) return TimeSpan.Zero;
        var rank = total - (total / 20);
        var bucket = 0;
        for (var seen = counts[0]; seen < rank; seen += counts[bucket]) bucket++;
        return TimeSpan.FromMicroseconds(UpperBoundOf(bucket));
    }
}
