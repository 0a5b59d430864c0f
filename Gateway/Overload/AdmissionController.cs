namespace HeartGrains.Gateway.Overload;

/// <summary>What was measured in one interval.</summary>
/// <param name="Elapsed">How long it was.</param>
/// <param name="Answered">Admitted calls that ended.</param>
/// <param name="RefusedByRate">Calls refused because too many came a second.</param>
/// <param name="RefusedInFlight">Calls refused because too many were in flight.</param>
/// <param name="InFlight">Calls in flight at its end.</param>
/// <param name="P95">The 95th percentile of admitted calls; null when there were too few to say.</param>
/// <param name="DispatchDelay">How long a call waits for a thread before anyone here sees it.</param>
/// <param name="CpuRatio">CPU this process used, as a part of all cores.</param>
internal readonly record struct IntervalSample(
    TimeSpan Elapsed, long Answered, long RefusedByRate, long RefusedInFlight, int InFlight, TimeSpan? P95, TimeSpan DispatchDelay, double CpuRatio);

/// <summary>
/// Decides once an interval how many calls are admitted. One number is state, the admitted rate; the limit of calls in flight follows from it by Little's law. The
/// rate grows by a part of itself, not by steps: capacity may lie anywhere between ten and a hundred thousand calls a second.
/// </summary>
/// <remarks>
/// The goal is missed when P95 is over it, or when what is in flight will take longer than the goal at the pace it is answered: a call that hangs has no latency yet. Then the
/// rate becomes <see cref="OverloadOptions.DecreaseFactor"/> of the drain rate, and rests for as long as the calls admitted before take to end, because until then no
/// measure shows what the cut did. While the goal is met, the rate goes by what met its limit:
/// <list type="bullet">
/// <item>Calls in flight: capacity is used up. The rate goes to a quarter over the drain rate, its ceiling, and the limit in flight lets in exactly what is answered.</item>
/// <item>Only the rate, with few in flight: capacity lies idle, for instance after a stall that is over. The rate doubles.</item>
/// <item>Nothing: the rate grows by <see cref="OverloadOptions.IncreaseGain"/>, beyond the ceiling a fifth as fast, up to <see cref="OverloadOptions.MaxRate"/>, where nothing is
/// limited but by the settings. An overload that pauses for a second meets limits that still know it.</item>
/// </list>
/// </remarks>
internal sealed class AdmissionController
{
    /// <summary>Calls in flight below which nobody waits for capacity, and which are always allowed.</summary>
    public const int InFlightFloor = 16;

    /// <summary>Part of the goal that calls may spend in flight at the admitted rate; the rest is for what P95 leaves out, and for error.</summary>
    private const double InFlightShare = 0.25;

    private const double Headroom = 1.25;
    private const double CatchUp = 2;
    private const double BusyGainFactor = 0.1;
    private const double GainFactorOverCeiling = 0.2;
    private const double GlidePart = 0.05;
    private static readonly TimeSpan RestLimit = TimeSpan.FromSeconds(1);

    private readonly OverloadOptions _options;
    private readonly DrainRate _drain = new();
    private int _inFlightBefore;
    private double _ceiling;
    private TimeSpan _rest;

    /// <summary>A controller that limits nothing yet.</summary>
    public AdmissionController(OverloadOptions options)
    {
        _options = options;
        Rate = options.MaxRate;
    }

    /// <summary>Calls a second admitted in the long run.</summary>
    public double Rate { get; private set; }

    /// <summary>Calls a second admitted at most: twice the rate, so that what was lost in a stall is made up for. In between, the limit in flight holds the rate.</summary>
    public double MostPerSecond => Math.Min(_options.MaxRate, Rate * CatchUp);

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
        else if (IsLimiting) Rate = Math.Clamp(NextRate(sample, inFlight), _options.MinRate, _options.MaxRate);
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
        _ceiling = _drain.PerSecond * Headroom;
        Rate = Math.Max(_options.MinRate, Math.Min(Rate, _drain.PerSecond) * _options.DecreaseFactor);
        _rest = Min(Max(wait, 2 * _options.Interval), RestLimit);
    }

    private double NextRate(in IntervalSample sample, int inFlight)
    {
        var isBusy = sample.CpuRatio > _options.CpuGoal;
        var gain = _options.IncreaseGain * (isBusy ? BusyGainFactor : 1);
        if (sample.RefusedInFlight > 0)
        {
            _ceiling = _drain.PerSecond * Headroom;
            return Math.Min(Rate * (1 + gain), Math.Max(_ceiling, Rate * (1 - GlidePart)));
        }

        if (sample.RefusedByRate == 0) return Rate * (1 + (Rate < _ceiling ? gain : gain * GainFactorOverCeiling));
        var isIdle = inFlight < InFlightLimit / 2;
        return isIdle ? Rate * (isBusy ? 1 + gain : 2) : Math.Min(Rate * (1 + gain), Math.Max(_ceiling, Rate));
    }

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
