using System.ComponentModel.DataAnnotations;

namespace HeartGrains.Resilience;

/// <summary>When a breaker opens, and how it closes again. The defaults are a rule for a dependency that nothing is known about.</summary>
public class BreakerOptions
{
    /// <summary>The sliding window that is looked at. Default 60 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.500", "00:10:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan Window { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Calls in the window below which it never opens. Default 20.</summary>
    [Range(1, 1_000_000)]
    public int MinimumCalls { get; set; } = 20;

    /// <summary>What has to be exceeded: <c>all</c> of the two thresholds (default), <c>any</c>, <c>failure_rate</c> alone or <c>p95</c> alone.</summary>
    [AllowedValues("all", "any", "failure_rate", "p95", ErrorMessage = "a breaker trips on all, any, failure_rate or p95")]
    public string TripOn { get; set; } = "all";

    /// <summary>Failures to calls; more is too much. Default 0.05.</summary>
    [Range(0.0, 1.0)]
    public double FailureRate { get; set; } = 0.05;

    /// <summary>The 95th percentile of latency; more is too much. Default 800 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan P95 { get; set; } = TimeSpan.FromMilliseconds(800);

    /// <summary>How long it stays open the first time; twice as long after each probe that fails. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:10:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long it stays open at most; not less than <see cref="BreakDuration"/>, with which it grows unless it is set itself. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "01:00:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan MaxBreakDuration { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How much a break is longer or shorter by chance, so that not all gateways probe at once. Default 0.2: ±20 %.</summary>
    [Range(0.0, 0.9)]
    public double Jitter { get; set; } = 0.2;

    /// <summary>Calls that may try at a time while it is half-open; it closes when so many have succeeded. Default 1.</summary>
    [Range(1, 1_000)]
    public int Probes { get; set; } = 1;

    /// <summary>Below this part of good answers in time, it is degraded: of <c>hearts</c>, reads are answered from memory before it opens. Default 0.95.</summary>
    [Range(0.0, 1.0)]
    public double DegradedBelow { get; set; } = 0.95;

    /// <summary>The window's calls are too bad to go on.</summary>
    internal bool Trips(in BreakerReading reading)
    {
        if (reading.Calls < MinimumCalls) return false;
        var fails = reading.FailureRate > FailureRate;
        return TripOn switch
        {
            "failure_rate" => fails,
            "p95" => reading.IsSlow,
            "any" => fails || reading.IsSlow,
            _ => fails && reading.IsSlow,
        };
    }

    /// <summary>A probe that took so long has shown what it should: an answer that is only slow is none where slowness alone is a reason to open.</summary>
    internal bool IsGoodProbe(bool hasFailed, TimeSpan latency) => !hasFailed && (TripOn is "all" or "failure_rate" || latency <= P95);

    /// <summary>The length of the break number <paramref name="breaks"/> in a row, from 1; <paramref name="chance"/> is 0 to 1.</summary>
    internal TimeSpan BreakNumber(int breaks, double chance)
    {
        var growing = BreakDuration * Math.Pow(2, Math.Min(breaks - 1, 30));
        var capped = growing < MaxBreakDuration ? growing : MaxBreakDuration;
        var spread = capped * (1 + (Jitter * ((2 * chance) - 1)));
        return spread < MaxBreakDuration ? spread : MaxBreakDuration;
    }
}
