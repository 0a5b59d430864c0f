namespace HeartGrains.Gateway.Overload;

/// <summary>What was measured in one interval.</summary>
/// <param name="Elapsed">How long it was.</param>
/// <param name="Answered">Admitted calls that ended.</param>
/// <param name="Refused">Calls refused.</param>
/// <param name="InFlight">Calls in flight at its end.</param>
/// <param name="P95">The 95th percentile of admitted calls; null when there were too few to say.</param>
/// <param name="DispatchDelay">How long a call waits for a thread before anyone here sees it.</param>
/// <param name="CpuRatio">CPU this process used, as a part of all cores.</param>
internal readonly record struct IntervalSample(
    TimeSpan Elapsed, long Answered, long Refused, int InFlight, TimeSpan? P95, TimeSpan DispatchDelay, double CpuRatio);

/// <summary>
/// Decides once an interval how many calls are admitted. One number is state, the admitted rate; the limit of calls in flight follows from it by Little's law. The
/// rate grows by a part of itself, not by steps: capacity may lie anywhere between ten and a hundred thousand calls a second.
/// </summary>
/// <remarks>
/// <list type="bullet">
/// <item>Calm: the rate is <see cref="OverloadOptions.MaxRate"/> and nothing is limited but by the settings.</item>
/// <item>The goal is missed when P95 is over it, or when what is in flight will take longer than the goal at the pace it is answered: a call that hangs has no latency yet. Then the rate becomes <see cref="OverloadOptions.DecreaseFactor"/> of
/// the drain rate, and rests for as long as the calls that were admitted before take to end, because until then the measure does not show what the cut did.</item>
/// <item>Limiting and met: the rate grows by <see cref="OverloadOptions.IncreaseGain"/>, and while calls are refused at most to a quarter over the drain rate; from beyond it glides back. There the limit in flight does the
/// work: it lets in exactly what is answered.</item>
/// <item>Limiting and met, with calls refused although few are in flight: capacity lies idle, after a stall that is over; the rate doubles.</item>
/// <item>Limiting, met, and nothing refused for ten intervals: calm again, at once.</item>
/// </list>
/// </remarks>
internal sealed class AdmissionController
{
    /// <summary>Calls in flight below which nobody waits for capacity, and which are always allowed.</summary>
    public const int InFlightFloor = 16;

    /// <summary>Part of the goal that calls may spend in flight at the admitted rate; the rest is for what P95 leaves out, and for error.</summary>
    private const double InFlightShare = 0.4;

    private const double Headroom = 1.25;
    private const double BusyGainFactor = 0.1;
    private const double GlidePart = 0.05;
    private const int CalmIntervals = 10;
    private static readonly TimeSpan RestLimit = TimeSpan.FromSeconds(1);

    private readonly OverloadOptions _options;
    private readonly DrainRate _drain = new();
    private int _inFlightBefore;
    private int _calmIntervals;
    private TimeSpan _rest;

    /// <summary>A controller that limits nothing yet.</summary>
    public AdmissionController(OverloadOptions options)
    {
        _options = options;
        Rate = options.MaxRate;
    }

    /// <summary>Calls a second admitted.</summary>
    public double Rate { get; private set; }

    /// <summary>Calls admitted at once after a pause, as the time in which they fall due.</summary>
    public TimeSpan Burst => _options.P95Goal * InFlightShare;

    /// <summary>Fewer calls are admitted than the settings allow.</summary>
    public bool IsLimiting => Rate < _options.MaxRate;

    /// <summary>Calls in flight allowed: those that the admitted rate answers within a part of the goal.</summary>
    public int InFlightLimit => IsLimiting
        ? (int)Math.Min(_options.MaxInFlight, Math.Max(InFlightFloor, Rate * Burst.TotalSeconds))
        : _options.MaxInFlight;

    /// <summary>Takes an interval's measures into account.</summary>
    public void Update(in IntervalSample sample)
    {
        _drain.Add(sample.Answered, sample.Elapsed, wasWaiting: _inFlightBefore >= InFlightFloor);
        var wait = Max((sample.P95 + sample.DispatchDelay) ?? TimeSpan.Zero, WaitAhead(sample.InFlight));
        var inFlight = Math.Max(_inFlightBefore, sample.InFlight);
        _inFlightBefore = sample.InFlight;
        _rest -= sample.Elapsed;

        if (_rest > TimeSpan.Zero) return;
        if (wait > _options.P95Goal) Shrink(wait);
        else if (IsLimiting) Grow(sample, inFlight);
    }

    /// <summary>How long it will take to answer what is in flight an interval from now, if it goes on growing; nothing until two intervals have shown the pace.</summary>
    private TimeSpan WaitAhead(int inFlight)
    {
        if (_inFlightBefore < InFlightFloor || _drain.WaitingIntervals < 2) return TimeSpan.Zero;
        var expected = inFlight + Math.Max(0, Math.Min(inFlight - _inFlightBefore, InFlightLimit - inFlight));
        return TimeSpan.FromSeconds(Math.Min(expected / Math.Max(_drain.PerSecond, 0.001), RestLimit.TotalSeconds + _options.P95Goal.TotalSeconds));
    }

    private void Shrink(TimeSpan wait)
    {
        Rate = Math.Max(_options.MinRate, Math.Min(Rate, _drain.PerSecond) * _options.DecreaseFactor);
        _calmIntervals = 0;
        _rest = Min(Max(wait, 2 * _options.Interval), RestLimit);
    }

    private void Grow(in IntervalSample sample, int inFlight)
    {
        var isBusy = sample.CpuRatio > _options.CpuGoal;
        var isIdle = inFlight < InFlightLimit / 2;
        _calmIntervals = sample.Refused == 0 && !isBusy ? _calmIntervals + 1 : 0;
        if (_calmIntervals >= CalmIntervals)
        {
            Rate = _options.MaxRate;
            return;
        }

        var gain = isBusy ? _options.IncreaseGain * BusyGainFactor : isIdle && sample.Refused > 0 ? Math.Max(1, _options.IncreaseGain) : _options.IncreaseGain;
        var most = sample.Refused > 0 && !isIdle
            ? Math.Max(_drain.PerSecond * Headroom, Rate * (1 - GlidePart))
            : _options.MaxRate;
        Rate = Math.Clamp(Math.Min(most, Rate * (1 + gain)), _options.MinRate, _options.MaxRate);
    }

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
