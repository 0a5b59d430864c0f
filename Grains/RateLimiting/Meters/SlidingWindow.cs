namespace HeartGrains.RateLimiting.Meters;

/// <summary>
/// A sliding window that keeps its word: no span of <see cref="WindowTicks"/>, both ends included and wherever it starts, sees more than
/// <see cref="QuotaMeter.Limit"/> tokens spent.
/// </summary>
/// <remarks>
/// Time is cut into segments of windowTicks ÷ segments, rounded up, from the moment the meter was made. What was spent counts in the
/// segment it was spent in, while that is the current one or one of the <c>segments</c> before it: two readings a window apart are at
/// most that many segments apart. The usual implementation (<c>System.Threading.RateLimiting.SlidingWindowRateLimiter</c> is one) counts a
/// segment fewer; what was spent at the end of a segment is then forgotten up to a segment too early, and twice the limit fits into a
/// window. The price is that a token comes back after up to windowTicks + windowTicks ÷ segments: more segments, sooner.
/// </remarks>
public sealed class SlidingWindow : QuotaMeter
{
    /// <summary>The most segments of a window.</summary>
    public const int MaxSegments = 100;

    private readonly ulong _segmentTicks;
    private long[] _spentBySegment;
    private long _spent;

    /// <summary>A window in which limit − available tokens were spent just now.</summary>
    /// <param name="limit">Tokens that any window may see, 0 to <see cref="QuotaMeter.MaxLimit"/>.</param>
    /// <param name="windowTicks">The window, 1 to <see cref="QuotaMeter.MaxPeriodTicks"/> clock ticks.</param>
    /// <param name="segments">Segments of a window, 1 to <see cref="MaxSegments"/>; the meter takes 8 bytes for each.</param>
    /// <param name="now">The clock reading.</param>
    /// <param name="available">Tokens that may be spent, more than the limit are as many as the limit; fewer than none were spent beyond it.</param>
    public SlidingWindow(long limit, long windowTicks, int segments, long now, long available)
        : base(limit, now, available)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(windowTicks, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(windowTicks, MaxPeriodTicks);
        ArgumentOutOfRangeException.ThrowIfLessThan(segments, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(segments, MaxSegments);
        WindowTicks = windowTicks;
        _segmentTicks = (ulong)SegmentTicksOf(windowTicks, segments);
        _spentBySegment = new long[segments + 1];
        Count(Math.Max(0, limit - available));
    }

    /// <summary>The window, in clock ticks.</summary>
    public long WindowTicks { get; }

    /// <summary>How long a segment is, in clock ticks.</summary>
    public static long SegmentTicksOf(long windowTicks, int segments) => (windowTicks + segments - 1) / segments;

    /// <inheritdoc/>
    public override long Available => Math.Max(0, Room);

    /// <inheritdoc/>
    public override (long Tokens, int Millionths) Spent => (_spent, 0);

    /// <summary>0: tokens come back whole.</summary>
    public override int AvailableMillionths => 0;

    /// <summary>How long ago the current segment began, in clock ticks.</summary>
    public long SegmentAge => (long)(Span(StartedAt, Clock) % _segmentTicks);

    /// <summary>What was spent in segments before the current one, oldest first: how many clock ticks ago their last one was, and how much.</summary>
    public IEnumerable<(long TicksAgo, long Tokens)> Earlier
    {
        get
        {
            var current = SegmentOf(Clock);
            for (var back = Math.Min(current, (ulong)Segments); back > 0; back--)
            {
                if (SpentIn(current - back) is > 0 and var tokens) yield return ((long)(Span(StartedAt, Clock) - ((current - back + 1) * _segmentTicks)) + 1, tokens);
            }
        }
    }

    private long Room => Limit - Held - _spent;

    private int Segments => _spentBySegment.Length - 1;

    /// <inheritdoc/>
    public override QuotaMeter Clone()
    {
        var clone = (SlidingWindow)base.Clone();
        clone._spentBySegment = [.. _spentBySegment];
        return clone;
    }

    private protected override void Pass(long from)
    {
        var current = SegmentOf(Clock);
        var begun = Math.Min(current - SegmentOf(from), (ulong)_spentBySegment.Length);
        for (ulong i = 0; i < begun; i++)
        {
            ref var oldest = ref SpentIn(current - i);
            _spent -= oldest;
            oldest = 0;
        }
    }

    private protected override void Count(long tokens)
    {
        SpentIn(SegmentOf(Clock)) += tokens;
        _spent += tokens;
    }

    private protected override void Uncount(long tokens, long takenAt)
    {
        var segment = SegmentOf(takenAt);
        if (SegmentOf(Clock) - segment > (ulong)Segments) return;
        ref var spent = ref SpentIn(segment);
        var returned = Math.Min(tokens, spent);
        spent -= returned;
        _spent -= returned;
    }

    private protected override long TicksUntilRoomFor(long tokens)
    {
        var missing = tokens - Room;
        var oldest = (SegmentOf(Clock) % (ulong)_spentBySegment.Length) + 1;
        var segmentsToGo = 0;
        for (; missing > 0; segmentsToGo++) missing -= SpentIn(oldest + (ulong)segmentsToGo);
        return (segmentsToGo * (long)_segmentTicks) - SegmentAge;
    }

    private ulong SegmentOf(long at) => Span(StartedAt, at) / _segmentTicks;

    /// <summary>What was spent in a segment that counts; the one after the current is where the oldest was, and so on.</summary>
    private ref long SpentIn(ulong segment) => ref _spentBySegment[segment % (ulong)_spentBySegment.Length];
}
