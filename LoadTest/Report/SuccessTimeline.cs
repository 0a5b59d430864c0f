namespace HeartGrains.LoadTest.Report;

/// <summary>When requests succeeded: a count for every 100 ms, and the longest time without a success. Safe for many threads.</summary>
public sealed class SuccessTimeline
{
    /// <summary>The time each count covers.</summary>
    public static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    private static readonly long StepTicks = (long)(Step.TotalSeconds * TimeProvider.System.TimestampFrequency);
    private readonly long _start;
    private readonly int[] _counts;
    private long _latest;
    private long _longestGap;
    private long _end;

    /// <summary>A timeline from <paramref name="startTimestamp"/>; successes after <paramref name="length"/> are not counted.</summary>
    /// <param name="startTimestamp">A timestamp of <see cref="TimeProvider.GetTimestamp"/>.</param>
    /// <param name="length">How much time to count.</param>
    public SuccessTimeline(long startTimestamp, TimeSpan length)
    {
        _start = _latest = _end = startTimestamp;
        _counts = new int[(int)(length / Step) + 1];
    }

    /// <summary>The longest time without a success, the beginning and the end of the run included.</summary>
    public TimeSpan LongestGap => TimeProvider.System.GetElapsedTime(0, Interlocked.Read(ref _longestGap));

    /// <summary>Successes in each <see cref="Step"/> from the start to the end.</summary>
    public ReadOnlySpan<int> Counts => _counts.AsSpan(0, Math.Min(_counts.Length, (int)((_end - _start) / StepTicks) + 1));

    /// <summary>
    /// How long after an instant the first success came, rounded up to <see cref="Step"/>; null when none came. Successes in the
    /// instant's own step are left out, as they may have been before it.
    /// </summary>
    /// <param name="timestamp">A timestamp of <see cref="TimeProvider.GetTimestamp"/>.</param>
    public TimeSpan? FirstSuccessAfter(long timestamp)
    {
        for (var step = Math.Max(0, ((timestamp - _start) / StepTicks) + 1); step < _counts.Length; step++)
            if (_counts[step] > 0)
                return TimeProvider.System.GetElapsedTime(timestamp, _start + ((step + 1) * StepTicks));
        return null;
    }

    internal void Succeeded(long timestamp)
    {
        var step = (timestamp - _start) / StepTicks;
        if (step < _counts.Length) Interlocked.Increment(ref _counts[step]);
        NoteGap(timestamp - Interlocked.Exchange(ref _latest, timestamp));
    }

    internal void Ended(long timestamp)
    {
        _end = timestamp;
        NoteGap(timestamp - Interlocked.Read(ref _latest));
    }

    private void NoteGap(long gap)
    {
        for (var longest = Interlocked.Read(ref _longestGap); gap > longest;)
        {
            var seen = Interlocked.CompareExchange(ref _longestGap, gap, longest);
            if (seen == longest) return;
            longest = seen;
        }
    }
}
