using Prometheus;

namespace HeartGrains.Gateway.Resilience;

/// <summary>What Prometheus is told of retries.</summary>
internal sealed class RecoveryMetrics
{
    private static readonly Counter.Child Retries = Metrics.CreateCounter(
        "heartgrains_retries_total", "Grain calls made again after a transient failure.").WithLabels();

    private static readonly Counter.Child Exhausted = Metrics.CreateCounter(
        "heartgrains_retry_budget_exhausted_total", "Calls not made again because there had been too many retries.").WithLabels();

    private static readonly Gauge.Child Left = Metrics.CreateGauge(
        "heartgrains_retry_budget_left", "Retries that could be made now.").WithLabels();

    private static readonly Counter Probes = Metrics.CreateCounter(
        "heartgrains_recovery_probes_total", "Silos asked whether they are ready before a call was made again.", "result");

    private static readonly Counter.Child Ready = Probes.WithLabels("ready");
    private static readonly Counter.Child NotReady = Probes.WithLabels("not_ready");

    private volatile RetryBudget? _budget;

    /// <summary>Shows what is left of a budget at every scrape.</summary>
    public void Observe(RetryBudget budget)
    {
        _budget = budget;
        Metrics.DefaultRegistry.AddBeforeCollectCallback(() => Left.Set(_budget.Left));
    }

    /// <summary>A call was made again.</summary>
    public void Retried() => Retries.Inc();

    /// <summary>A call was not made again for want of budget.</summary>
    public void BudgetSpent() => Exhausted.Inc();

    /// <summary>A silo was asked.</summary>
    public void Probed(bool isReady) => (isReady ? Ready : NotReady).Inc();
}
