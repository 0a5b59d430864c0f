using Prometheus;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>Counts how quota decisions came about.</summary>
internal static class QuotaMetrics
{
    private static readonly Counter Decisions = Metrics.CreateCounter(
        "heartgrains_quota_decisions_total",
        "Quota decisions: admitted by the local slice or the grain, refused, or unavailable.",
        "decision");

    private static readonly Counter.Child SliceChild = Decisions.WithLabels("slice");
    private static readonly Counter.Child GrainChild = Decisions.WithLabels("grain");
    private static readonly Counter.Child RefusedChild = Decisions.WithLabels("refused");
    private static readonly Counter.Child UnavailableChild = Decisions.WithLabels("unavailable");

    private static readonly Gauge SeatGauge = Metrics.CreateGauge(
        "heartgrains_quota_seat",
        "1 while this gateway holds a seat and admits slices by itself, 0 while it asks the silos for every call.");

    public static void AdmittedBySlice() => SliceChild.Inc();

    public static void AdmittedByGrain() => GrainChild.Inc();

    public static void Refused() => RefusedChild.Inc();

    public static void Unavailable() => UnavailableChild.Inc();

    public static void Seated(bool isSeated) => SeatGauge.Set(isSeated ? 1 : 0);
}
