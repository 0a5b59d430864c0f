using System.ComponentModel.DataAnnotations;

namespace HeartGrains.Gateway.Resilience;

/// <summary>How the gateway calls grains: section <c>HeartGrains:Resilience</c>.</summary>
public sealed class ResilienceOptions
{
    /// <summary>The section these options are read from.</summary>
    public const string Section = "HeartGrains:Resilience";

    /// <summary>
    /// How long a call may take in all, retries included. Default 2.5 s: under the 3 s after which Orleans itself gives up, so that
    /// the answer is ours.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:01:00")]
    public TimeSpan CallTimeout { get; set; } = TimeSpan.FromSeconds(2.5);

    /// <summary>
    /// How long a quota may take to answer; after that the policy's <c>OnOutage</c> decides. Default 2 s: less makes outages of what is only slow, such as a
    /// silo that joins a busy machine.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:10")]
    public TimeSpan QuotaTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long instead, from the first quota that did not answer until it has. Default 45 ms: decided within 50.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:10")]
    public TimeSpan QuotaOutageTimeout { get; set; } = TimeSpan.FromMilliseconds(45);

    /// <summary>How often a call is made again after a transient failure. Default 2; 0 turns retries off.</summary>
    [Range(0, 5)]
    public int RetryLimit { get; set; } = 2;

    /// <summary>Wait before the first retry; the next waits about twice as long, both with jitter. Default 25 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:01")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(25);

    /// <summary>Calls in the window below which the breaker never opens. Default 20.</summary>
    [Range(2, 100_000)]
    public int BreakerMinimumThroughput { get; set; } = 20;

    /// <summary>Part of failed calls in the window at which the breaker opens. Default 0.5.</summary>
    [Range(0.01, 1.0)]
    public double BreakerFailureRatio { get; set; } = 0.5;

    /// <summary>The window the breaker looks at. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.500", "00:10:00")]
    public TimeSpan BreakerWindow { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long calls are refused once the breaker opened, before one may try. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.500", "00:10:00")]
    public TimeSpan BreakDuration { get; set; } = TimeSpan.FromSeconds(2);
}
