using Prometheus;

namespace HeartGrains.Audit;

/// <summary>What a silo tells Prometheus about the log's seals and about drift; docs/metrics.md explains each.</summary>
public sealed class AuditMetrics
{
    private readonly Gauge _lag = Metrics.CreateGauge("heartgrains_seal_lag_seconds", "Age of the oldest event that is not sealed; 0 when all are.");
    private readonly Counter _sealed = Metrics.CreateCounter("heartgrains_sealed_events_total", "Events sealed by this silo.");
    private readonly Counter _comparedBlocks = Metrics.CreateCounter("heartgrains_verified_blocks_total", "Blocks of the log compared with their seals.");
    private readonly Counter _comparedTargets = Metrics.CreateCounter("heartgrains_verified_targets_total", "Targets compared with their logs.");
    private readonly Counter _drift = Metrics.CreateCounter("heartgrains_drift_total", "What was found that is not as the log says, or not as it was sealed.", "kind");

    /// <summary>Every kind of drift is shown at 0 from the start.</summary>
    public AuditMetrics()
    {
        foreach (var kind in FindingKinds.All) _drift.WithLabels(kind);
    }

    /// <summary>The age of the oldest event that is not sealed.</summary>
    public void SealLag(TimeSpan lag) => _lag.Set(Math.Max(0, lag.TotalSeconds));

    /// <summary>A block was sealed.</summary>
    public void Sealed(long events) => _sealed.Inc(events);

    /// <summary>Blocks were compared.</summary>
    public void BlocksCompared(long blocks) => _comparedBlocks.Inc(blocks);

    /// <summary>A target was compared.</summary>
    public void TargetCompared() => _comparedTargets.Inc();

    /// <summary>Something was found.</summary>
    public void Found(Finding finding) => _drift.WithLabels(finding.Kind).Inc();
}
