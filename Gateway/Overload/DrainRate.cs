namespace HeartGrains.Gateway.Overload;

/// <summary>
/// How many calls a second are answered while calls wait: over those of the last ten intervals that began with calls waiting. An interval that began idle tells the demand, not
/// what could be done.
/// </summary>
internal sealed class DrainRate
{
    /// <summary>Intervals looked back on.</summary>
    public const int Intervals = 10;

    private readonly (long Answered, double Seconds, bool WasWaiting)[] _intervals = new (long, double, bool)[Intervals];
    private int _next;

    /// <summary>Calls a second; over all intervals when none began with calls waiting.</summary>
    public double PerSecond { get; private set; }

    /// <summary>Intervals that began with calls waiting.</summary>
    public int WaitingIntervals { get; private set; }

    public void Add(long answered, TimeSpan elapsed, bool wasWaiting)
    {
        _intervals[_next] = (answered, elapsed.TotalSeconds, wasWaiting);
        _next = (_next + 1) % Intervals;

        WaitingIntervals = _intervals.Count(static interval => interval.WasWaiting);
        var (count, seconds) = (0L, 0.0);
        foreach (var interval in _intervals)
        {
            if (WaitingIntervals > 0 && !interval.WasWaiting) continue;
            count += interval.Answered;
            seconds += interval.Seconds;
        }

        PerSecond = seconds > 0 ? count / seconds : 0;
    }
}
