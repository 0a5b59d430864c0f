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

    /// <summary>How often a call is made again after a transient failure, at most; it ends before <see cref="CallTimeout"/> anyhow. Default 7; 0 turns retries off.</summary>
    [Range(0, 100)]
    public int RetryLimit { get; set; } = 7;

    /// <summary>Wait before the first retry; each next is twice as long, all ±20 %. Default 100 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:00:10")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait before a retry. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Retries to calls, so that retries cannot amplify an outage. Default 0.1; 0 turns retries off.</summary>
    [Range(0.0, 1.0)]
    public double RetryBudget { get; set; } = 0.1;

    /// <summary>Targets whose last known state a gateway keeps for when it cannot ask, 40 bytes each. Default 100,000.</summary>
    [Range(1_000, 10_000_000)]
    public int LastKnownTargets { get; set; } = 100_000;
}
