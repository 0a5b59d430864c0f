using Prometheus;

namespace HeartGrains.Gateway.Live;

/// <summary>What a gateway tells Prometheus about those who watch; docs/metrics.md explains each.</summary>
internal sealed class LiveMetrics
{
    private readonly Gauge.Child _connections = Metrics.CreateGauge("heartgrains_live_connections", "Clients that are connected to watch.").WithLabels();
    private readonly Gauge.Child _targets = Metrics.CreateGauge("heartgrains_live_targets", "Targets that are watched through this gateway.").WithLabels();
    private readonly Counter.Child _updates = Metrics.CreateCounter("heartgrains_live_updates_total", "Updates sent to clients.").WithLabels();

    private readonly Counter.Child _conflated = Metrics.CreateCounter(
        "heartgrains_live_conflated_total", "Updates not sent because a later one of the same target overtook them.").WithLabels();

    private readonly Counter.Child _batches = Metrics.CreateCounter("heartgrains_live_batches_total", "Messages with changes received from silos.").WithLabels();
    private readonly Dictionary<LiveClose, Counter.Child> _closes;

    /// <summary>Registers the metrics; every close shows from the start.</summary>
    public LiveMetrics()
    {
        var closes = Metrics.CreateCounter("heartgrains_live_closes_total", "Connections that ended, by close code.", "code");
        _closes = LiveClose.All.ToDictionary(static close => close, close => closes.WithLabels(close.Code.ToString()));
    }

    public void Opened() => _connections.Inc();

    public void Closed(LiveClose close)
    {
        _connections.Dec();
        _closes[close].Inc();
    }

    public void ShowTargets(int count) => _targets.Set(count);

    public void CountUpdates(int count) => _updates.Inc(count);

    public void CountConflated(int count) => _conflated.Inc(count);

    public void CountBatch() => _batches.Inc();
}
