using Prometheus;

namespace HeartGrains.Gateway.Diagnostics;

/// <summary>The two operations that change a heart.</summary>
public enum HeartOperation
{
    /// <summary>POST.</summary>
    Give,

    /// <summary>DELETE.</summary>
    Withdraw,
}

/// <summary>What became of them, as a metric's label.</summary>
public enum HeartResult
{
    /// <summary>Committed, and the state changed.</summary>
    Changed,

    /// <summary>Committed before: a repeat.</summary>
    Unchanged,

    /// <summary>Refused as invalid.</summary>
    Invalid,

    /// <summary>Refused by the user's quota.</summary>
    QuotaExceeded,

    /// <summary>The quota could not be asked.</summary>
    QuotaUnavailable,

    /// <summary>No silo could be reached.</summary>
    Unavailable,

    /// <summary>The breaker let nothing pass.</summary>
    Paused,

    /// <summary>The queue to the ledger was full.</summary>
    QueueFull,

    /// <summary>The ledger refused.</summary>
    LedgerUnavailable,

    /// <summary>Another activation wrote first, and again after retries.</summary>
    Conflict,

    /// <summary>It may have been committed.</summary>
    Unknown,

    /// <summary>The client went away before the answer.</summary>
    Aborted,

    /// <summary>Operators froze the target.</summary>
    Frozen,

    /// <summary>Operators let the user give no hearts for a time.</summary>
    Blocked,
}

/// <summary>The gateway's own metrics. No user or target is ever a label.</summary>
public sealed class GatewayMetrics
{
    private static readonly string[] ResultLabels =
    [
        "changed", "unchanged", "invalid", "quota_exceeded", "quota_unavailable", "unavailable", "paused", "queue_full", "ledger_unavailable",
        "conflict", "unknown", "aborted", "frozen", "blocked",
    ];

    // Steps of a half or less where answers usually come, so that a percentile between two bounds is not far off; 0.25 s is the promise, 0.8 s the breaker's.
    private static readonly double[] RequestBuckets =
    [
        .0005, .00075, .001, .0015, .002, .003, .004, .006, .008, .012, .016, .024, .035, .05, .075, .1, .15, .25, .4, .6, .8, 1, 1.5, 2.5, 4,
    ];

    private readonly Counter.Child[] _hearts;
    private readonly Histogram _requests;
    private readonly Gauge.Child _connected;
    private readonly Counter.Child _stale;

    /// <summary>Registers the metrics; every outcome shows from the start.</summary>
    public GatewayMetrics()
    {
        var hearts = Metrics.CreateCounter(
            "heartgrains_hearts_total", "Calls to give or withdraw a heart, by what became of them.", "operation", "outcome");
        _hearts = [.. from operation in (string[])["give", "withdraw"] from result in ResultLabels select hearts.WithLabels(operation, result)];
        _requests = Metrics.CreateHistogram(
            "heartgrains_request_seconds", "Time to answer a request, in seconds.", ["route", "status"],
            new HistogramConfiguration { Buckets = RequestBuckets });
        _connected = Metrics.CreateGauge("heartgrains_cluster_connected", "1 while at least one silo is connected.").WithLabels();
        _stale = Metrics.CreateCounter("heartgrains_stale_answers_total", "Reads answered with the last known state.").WithLabels();
    }

    /// <summary>Counts a call to give or withdraw.</summary>
    public void CountHeart(HeartOperation operation, HeartResult result) =>
        _hearts[((int)operation * ResultLabels.Length) + (int)result].Inc();

    /// <summary>Counts a read that was answered with the last known state.</summary>
    public void CountStale() => _stale.Inc();

    /// <summary>Shows whether a silo is connected.</summary>
    public void ShowConnected(bool connected) => _connected.Set(connected ? 1 : 0);

    internal RouteTimes TimesOf(string route) => new(_requests, route);
}
