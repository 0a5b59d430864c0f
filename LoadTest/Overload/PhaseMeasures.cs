using HeartGrains.LoadTest.Http;

namespace HeartGrains.LoadTest.Overload;

/// <summary>What became of the hearts of one phase. Safe for many threads.</summary>
public sealed class PhaseMeasures
{
    /// <summary>The time each slice covers.</summary>
    public static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(250);

    private static readonly byte[] ReducedCapacity = "\"temporary-reduced-capacity\""u8.ToArray();
    private static readonly long SliceTicks = (long)(Slice.TotalSeconds * TimeProvider.System.TimestampFrequency);

    private readonly LatencyRecord[] _admittedBySlice;
    private readonly long[] _othersBySlice;
    private long _start;
    private long _failed;

    /// <summary>Measures of a phase of the given length.</summary>
    public PhaseMeasures(TimeSpan length)
    {
        var slices = (int)Math.Ceiling(length / Slice);
        _admittedBySlice = [.. Enumerable.Range(0, slices).Select(_ => new LatencyRecord(digits: 2))];
        _othersBySlice = new long[slices];
    }

    /// <summary>Hearts answered 2xx, from when they were sent.</summary>
    public LatencyRecord Admitted { get; } = new();

    /// <summary>Hearts answered 2xx, from when they should have been sent.</summary>
    public LatencyRecord AdmittedSinceDue { get; } = new();

    /// <summary>Hearts refused for overload, from when they were sent.</summary>
    public LatencyRecord Refused { get; } = new();

    /// <summary>Hearts refused for overload, from when they should have been sent.</summary>
    public LatencyRecord RefusedSinceDue { get; } = new();

    /// <summary>How late hearts were sent: the load's own fault, or for want of a free connection.</summary>
    public LatencyRecord Lateness { get; } = new();

    /// <summary>All other answers, and none.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Hearts that fell due while they could not be sent, and never were.</summary>
    public long NotSent { get; internal set; }

    /// <summary>From the first heart's due time to the phase's end.</summary>
    public TimeSpan Elapsed { get; internal set; }

    /// <summary>Hearts admitted a second.</summary>
    public double Goodput => Admitted.Count / Elapsed.TotalSeconds;

    /// <summary>
    /// How long it took until for <paramref name="quiet"/> every heart was admitted, with a P99 under <paramref name="goal"/> in each slice; null when that never came.
    /// </summary>
    public TimeSpan? CalmAfter(TimeSpan goal, TimeSpan quiet)
    {
        var needed = (int)Math.Ceiling(quiet / Slice);
        var calm = 0;
        for (var slice = 0; slice < _admittedBySlice.Length; slice++)
        {
            var admitted = _admittedBySlice[slice];
            calm = _othersBySlice[slice] == 0 && admitted.Count > 0 && admitted.Read().P99 < goal ? calm + 1 : 0;
            if (calm == needed) return (slice + 1 - needed) * Slice;
        }

        return null;
    }

    internal void Start(long timestamp) => _start = timestamp;

    internal void Add(long due, long sent, long ended, in HttpAnswer answer)
    {
        Lateness.Add(due, sent);
        var slice = Math.Min((due - _start) / SliceTicks, _othersBySlice.Length - 1);
        if (answer.Status is >= 200 and < 300)
        {
            Admitted.Add(sent, ended);
            AdmittedSinceDue.Add(due, ended);
            _admittedBySlice[slice].Add(sent, ended);
            return;
        }

        Interlocked.Increment(ref _othersBySlice[slice]);
        if (answer.Status == 503 && answer.Body.Span.IndexOf(ReducedCapacity) >= 0)
        {
            Refused.Add(sent, ended);
            RefusedSinceDue.Add(due, ended);
        }
        else
        {
            Interlocked.Increment(ref _failed);
        }
    }
}
