namespace HeartGrains.Gateway.Overload;

/// <summary>Calls that are limited together: a slow ledger must not make the gateway refuse reads, which do not need it.</summary>
internal enum CallKind
{
    /// <summary>GET, HEAD, and queries by POST.</summary>
    Read,

    /// <summary>All else.</summary>
    Write,
}

/// <summary>Which limit a refused call met.</summary>
internal enum RefusalReason
{
    /// <summary>Too many calls a second.</summary>
    Rate,

    /// <summary>Too many calls in flight.</summary>
    InFlight,
}

/// <summary>
/// Admits or refuses the calls of one kind and measures them. Admission is two atomic operations: no lock, no allocation. A call that enters while another is
/// being refused may be refused for it: the count is raised before it is judged.
/// </summary>
internal sealed class AdmissionLane
{
    private const int LeastSamples = 20;

    private readonly AdmissionController _controller;
    private readonly LatencyWindow _latencies = new();
    private readonly RateGate _rate;
    private readonly TimeSpan _goal;
    private readonly OverloadMetrics.Lane _metrics;
    private readonly long[] _refused = new long[2];
    private int _inFlight;
    private int _inFlightLimit;
    private long _answered;

    public AdmissionLane(OverloadOptions options, TimeProvider timeProvider, OverloadMetrics.Lane metrics)
    {
        _controller = new(options);
        _goal = options.P95Goal;
        _metrics = metrics;
        _rate = new RateGate(timeProvider);
        Apply();
    }

    /// <summary>Calls in flight.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Whether a call may come in; then <see cref="Leave"/> must follow.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _inFlight) > Volatile.Read(ref _inFlightLimit)) return Refuse(RefusalReason.InFlight);
        return _rate.TryPass() || Refuse(RefusalReason.Rate);
    }

    /// <summary>A call ended.</summary>
    /// <param name="latency">How long it took, waiting for its body left out.</param>
    /// <param name="isServed">It did what it is for; others are often quick and would hide the slow ones.</param>
    public void Leave(TimeSpan latency, bool isServed)
    {
        Interlocked.Decrement(ref _inFlight);
        Interlocked.Increment(ref _answered);
        if (isServed || latency > _goal) _latencies.Record(latency);
    }

    /// <summary>A call waits for its client: it is not in flight until <see cref="Resume"/>.</summary>
    public void Pause() => Interlocked.Decrement(ref _inFlight);

    /// <summary>A call goes on.</summary>
    public void Resume() => Interlocked.Increment(ref _inFlight);

    /// <summary>Ends an interval: measures, decides, applies, tells.</summary>
    public void Adapt(TimeSpan elapsed, TimeSpan dispatchDelay, double cpuRatio)
    {
        var p95 = _latencies.TakeP95(LeastSamples, DrainRate.Intervals);
        _controller.Update(new(
            elapsed, Interlocked.Exchange(ref _answered, 0), TakeRefused(RefusalReason.Rate), TakeRefused(RefusalReason.InFlight), InFlight, p95, dispatchDelay, cpuRatio));
        Apply();
        _metrics.Show(_controller, InFlight, p95);
    }

    private bool Refuse(RefusalReason reason)
    {
        Interlocked.Decrement(ref _inFlight);
        Interlocked.Increment(ref _refused[(int)reason]);
        _metrics.CountRefusal(reason);
        return false;
    }

    private long TakeRefused(RefusalReason reason) => Interlocked.Exchange(ref _refused[(int)reason], 0);

    private void Apply()
    {
        _rate.Set(_controller.MostPerSecond, _controller.Burst);
        Volatile.Write(ref _inFlightLimit, _controller.InFlightLimit);
    }
}
