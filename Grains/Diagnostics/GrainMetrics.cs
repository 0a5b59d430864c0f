using Prometheus;

namespace HeartGrains.Diagnostics;

/// <summary>What a silo tells Prometheus about its ledger and grains; docs/metrics.md explains each.</summary>
public sealed class GrainMetrics
{
    private readonly Histogram _batchSize = Metrics.CreateHistogram(
        "heartgrains_ledger_batch_size", "Hearts committed together.",
        new HistogramConfiguration { Buckets = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] });

    private readonly Histogram _batchSeconds = Metrics.CreateHistogram(
        "heartgrains_ledger_batch_seconds", "Time from taking a batch to its settlement.",
        new HistogramConfiguration { Buckets = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5] });

    private readonly Counter _conflicts = Metrics.CreateCounter(
        "heartgrains_ledger_conflicts_total", "Appends that met a version written by another activation or by themselves before.");

    private readonly Counter _folded = Metrics.CreateCounter("heartgrains_ledger_folded_total", "Events folded into the projections by this silo.");
    private readonly Gauge _queue = Metrics.CreateGauge("heartgrains_ledger_queue_depth", "Hearts waiting for their batch.");
    private readonly Gauge _activations = Metrics.CreateGauge("heartgrains_activations", "HeartGrains active in this silo.");
    private readonly Counter _loads = Metrics.CreateCounter("heartgrains_target_loads_total", "Targets read from the ledger.");

    private readonly Counter _rents = Metrics.CreateCounter(
        "heartgrains_pool_rents_total", "Objects asked of a pool, by whether it had one (hit) or made one (miss).", "pool", "result");

    /// <summary>A batch was taken.</summary>
    public void BatchStarted(int size) => _batchSize.Observe(size);

    /// <summary>A batch was settled.</summary>
    public void BatchEnded(TimeSpan duration) => _batchSeconds.Observe(duration.TotalSeconds);

    /// <summary>An append met rows that were there already.</summary>
    public void Conflict() => _conflicts.Inc();

    /// <summary>Events were folded.</summary>
    public void Folded(int events) => _folded.Inc(events);

    /// <summary>A target came into memory.</summary>
    public void Activated() => _activations.Inc();

    /// <summary>A target left memory.</summary>
    public void Deactivated() => _activations.Dec();

    /// <summary>A target was read from the ledger.</summary>
    public void Loaded() => _loads.Inc();

    /// <summary>Asks <paramref name="depth"/> at every scrape.</summary>
    public void ObserveQueue(Func<int> depth) => Metrics.DefaultRegistry.AddBeforeCollectCallback(() => _queue.Set(depth()));

    /// <summary>Asks <paramref name="rents"/> at every scrape. Hits that fall back a little stay as they were shown.</summary>
    public void ObservePool(string pool, Func<(long Hits, long Misses)> rents)
    {
        var (hit, miss) = (_rents.WithLabels(pool, "hit"), _rents.WithLabels(pool, "miss"));
        Metrics.DefaultRegistry.AddBeforeCollectCallback(() =>
        {
            var (hits, misses) = rents();
            hit.IncTo(hits);
            miss.IncTo(misses);
        });
    }
}
