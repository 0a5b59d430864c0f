using Prometheus;

namespace HeartGrains.Resilience;

/// <summary>What Prometheus is told of breakers; gauges are set at every scrape.</summary>
internal sealed class BreakerMetrics : IDisposable
{
    private static readonly Gauge State = Metrics.CreateGauge(
        "heartgrains_breaker_state", "Whether calls to a dependency pass: 0 closed, 1 open, 2 half-open, 3 forced by an operator.", "dependency");

    private static readonly Gauge FailureRate = Metrics.CreateGauge(
        "heartgrains_breaker_failure_rate", "Failed calls to all calls of the window, 0 to 1.", "dependency");

    private static readonly Gauge P95 = Metrics.CreateGauge(
        "heartgrains_breaker_p95_seconds", "95th percentile of the latency of the window's calls, in seconds.", "dependency");

    private static readonly Gauge Health = Metrics.CreateGauge(
        "heartgrains_breaker_health_ratio", "Good answers in time to all calls of the window, 0 to 1.", "dependency");

    private static readonly Gauge Degraded = Metrics.CreateGauge(
        "heartgrains_breaker_degraded", "1 while too few of the window's answers are good and in time, though calls may pass.", "dependency");

    private static readonly Counter Transitions = Metrics.CreateCounter(
        "heartgrains_breaker_transitions_total", "Changes of state, by the state that was entered.", "dependency", "to");

    private static readonly Counter Rejected = Metrics.CreateCounter(
        "heartgrains_breaker_rejected_total", "Calls that were turned away.", "dependency");

    private volatile Func<IReadOnlyList<Breaker>>? _breakers;

    /// <summary>Looks at these breakers at every scrape, until disposed.</summary>
    public void Observe(Func<IReadOnlyList<Breaker>> breakers)
    {
        _breakers = breakers;
        Metrics.DefaultRegistry.AddBeforeCollectCallback(Collect);
    }

    /// <summary>Shows a breaker with all that can become of it, from the start.</summary>
    public void Add(string dependency)
    {
        foreach (var to in Enum.GetValues<BreakerState>()) Transitions.WithLabels(dependency, to.Name());
        Rejected.WithLabels(dependency);
    }

    /// <summary>Counts a change.</summary>
    public void Count(in BreakerTransition change) => Transitions.WithLabels(change.Breaker, change.To.Name()).Inc();

    public void Dispose() => _breakers = null;

    private void Collect()
    {
        foreach (var breaker in _breakers?.Invoke() ?? [])
        {
            var status = breaker.Look();
            State.WithLabels(breaker.Name).Set(Math.Min((int)status.State, (int)BreakerState.ForcedOpen));
            FailureRate.WithLabels(breaker.Name).Set(status.Reading.FailureRate);
            P95.WithLabels(breaker.Name).Set(status.Reading.P95.TotalSeconds);
            Health.WithLabels(breaker.Name).Set(status.Reading.Health);
            Degraded.WithLabels(breaker.Name).Set(status.IsDegraded ? 1 : 0);
            Rejected.WithLabels(breaker.Name).IncTo(status.Rejected);
        }
    }
}
