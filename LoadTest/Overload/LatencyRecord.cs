using HdrHistogram;
using HeartGrains.LoadTest.Report;

namespace HeartGrains.LoadTest.Overload;

/// <summary>Latencies of one kind of answers. Safe for many threads.</summary>
public sealed class LatencyRecord(int digits = 3)
{
    private const long LimitMicros = 120_000_000;
    private readonly LongConcurrentHistogram _micros = new(1, LimitMicros, digits);

    /// <summary>How many.</summary>
    public long Count => _micros.TotalCount;

    /// <summary>Their percentiles; all zero when there are none.</summary>
    public Latencies Read() => new(At(50), At(90), At(99), At(99.9), At(100));

    /// <summary>The part that took less than <paramref name="limit"/>; 1 when there are none.</summary>
    public double PartUnder(TimeSpan limit) =>
        Count == 0 ? 1 : (double)_micros.RecordedValues().Where(value => value.ValueIteratedTo < limit.TotalMicroseconds).Sum(value => value.CountAddedInThisIterationStep) / Count;

    internal void Add(long fromTimestamp, long toTimestamp) =>
        _micros.RecordValue(Math.Clamp((long)TimeProvider.System.GetElapsedTime(fromTimestamp, toTimestamp).TotalMicroseconds, 1, LimitMicros));

    internal TimeSpan At(double percentile) => Count == 0 ? TimeSpan.Zero : TimeSpan.FromMicroseconds(_micros.GetValueAtPercentile(percentile));
}
