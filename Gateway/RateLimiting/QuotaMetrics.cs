using Prometheus;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>Counts how the decisions of one policy came about.</summary>
internal sealed class QuotaMetrics(string policy)
{
    private static readonly Counter Decisions = Metrics.CreateCounter(
        "heartgrains_quota_decisions_total",
        "Quota decisions by policy: admitted by the slice or by the grain, refused, what a shadow policy would have refused, admitted or refused "
        + "without being asked because the quota was out.",
        "policy",
        "decision");

    private static readonly Counter.Child Returned = Metrics
        .CreateCounter("heartgrains_quota_returns_total", "Calls that failed for our fault and got their tokens back.").WithLabels();

    private static readonly Gauge SeatGauge = Metrics.CreateGauge(
        "heartgrains_quota_seat",
        "1 while this gateway holds a seat and admits slices by itself, 0 while it asks the silos for every call.");

    private readonly Counter.Child _slice = Decisions.WithLabels(policy, "slice");
    private readonly Counter.Child _grain = Decisions.WithLabels(policy, "grain");
    private readonly Counter.Child _refused = Decisions.WithLabels(policy, "refused");
    private readonly Counter.Child _shadow = Decisions.WithLabels(policy, "shadow_refused");
    private readonly Counter.Child _outageAdmitted = Decisions.WithLabels(policy, "outage_admitted");
    private readonly Counter.Child _outageRefused = Decisions.WithLabels(policy, "outage_refused");

    public static void Seated(bool isSeated) => SeatGauge.Set(isSeated ? 1 : 0);

    public static void Return() => Returned.Inc();

    public void AdmittedBySlice() => _slice.Inc();

    public void AdmittedByGrain() => _grain.Inc();

    public void Refused() => _refused.Inc();

    public void ShadowRefused() => _shadow.Inc();

    public void OutageAdmitted() => _outageAdmitted.Inc();

    public void OutageRefused() => _outageRefused.Inc();
}
