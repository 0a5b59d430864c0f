using Prometheus;

namespace HeartGrains.Gateway.Overload;

/// <summary>What the guard shows of itself.</summary>
internal sealed class OverloadMetrics
{
    private static readonly string[] Calls = ["read", "write"];
    private readonly Gauge.Child _cpu = Metrics.CreateGauge(
        "heartgrains_overload_cpu_ratio", "CPU this process used in the last interval, as a part of all cores.").WithLabels();

    private readonly Lane[] _lanes = [.. Calls.Select(static calls => new Lane(calls))];

    public Lane Of(CallKind kind) => _lanes[(int)kind];

    public void ShowCpu(double ratio) => _cpu.Set(ratio);

    /// <summary>What is shown of one kind of calls.</summary>
    internal sealed class Lane(string calls)
    {
        private readonly Gauge.Child _rate = Metrics.CreateGauge(
            "heartgrains_overload_admitted_rate", "Calls a second admitted at most.", "calls").WithLabels(calls);

        private readonly Gauge.Child _limit = Metrics.CreateGauge(
            "heartgrains_overload_in_flight_limit", "Calls in flight allowed.", "calls").WithLabels(calls);

        private readonly Gauge.Child _inFlight = Metrics.CreateGauge(
            "heartgrains_overload_in_flight", "Calls in flight at the end of the last interval.", "calls").WithLabels(calls);

        private readonly Gauge.Child _limiting = Metrics.CreateGauge(
            "heartgrains_overload_limiting", "1 while fewer calls are admitted than the settings allow.", "calls").WithLabels(calls);

        private readonly Gauge.Child _p95 = Metrics.CreateGauge(
            "heartgrains_overload_p95_seconds", "95th percentile of admitted calls when it was last known, in seconds.", "calls").WithLabels(calls);

        private readonly Counter.Child[] _refusals = [.. ((string[])["rate", "in_flight"]).Select(reason => Metrics.CreateCounter(
            "heartgrains_overload_refusals_total", "Calls refused to protect the rest, by the limit they met.", "calls", "reason").WithLabels(calls, reason))];

        public void CountRefusal(RefusalReason reason) => _refusals[(int)reason].Inc();

        public void Show(AdmissionController controller, int inFlight, TimeSpan? p95)
        {
            _rate.Set(controller.Rate);
            _limit.Set(controller.InFlightLimit);
            _inFlight.Set(inFlight);
            _limiting.Set(controller.IsLimiting ? 1 : 0);
            if (p95 is { } known) _p95.Set(known.TotalSeconds);
        }
    }
}
