using System.ComponentModel.DataAnnotations;

namespace HeartGrains.RateLimiting;

/// <summary>Which quotas there are. Section <c>HeartGrains:RateLimits</c>.</summary>
public sealed class RateLimitOptions
{
    /// <summary>The configuration section.</summary>
    public const string SectionName = "HeartGrains:RateLimits";

    /// <summary>The policies, at most 32; a request is judged by all that apply. Default: 60 tokens for each user, one back each second.</summary>
    public List<QuotaPolicyOptions> Policies { get; set; } = [];

    /// <summary>How many keys, such as users, a gateway keeps slices for at least, 48 bytes each; others are asked of the silos. Default 1,000,000.</summary>
    [Range(1_000, 100_000_000)]
    public int SliceTableKeys { get; set; } = 1_000_000;

    /// <summary>How much the wall clocks of two silos may differ: so much less time is taken to have passed since a quota was stored. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan MaxClockSkew { get; set; } = TimeSpan.FromSeconds(10);
}

/// <summary>
/// One policy as it is written down. Each algorithm has limits of its own; one that belongs to another algorithm is refused.
/// </summary>
public sealed class QuotaPolicyOptions
{
    private const string MaxTokens = "9007199254740992"; // 2^53

    /// <summary>Names the policy in headers, metrics and answers: 1–64 characters <c>a–z 0–9 _ -</c>. Required.</summary>
    [RegularExpression("[a-z0-9_-]{1,64}", ErrorMessage = "a name has 1 to 64 characters a–z, 0–9, _ or -")]
    public string? Name { get; set; }

    /// <summary>What is counted by: <c>user</c>, <c>address</c>, <c>target</c> or <c>campaign</c>. Required.</summary>
    [AllowedValues(null, "user", "address", "target", "campaign", ErrorMessage = "a dimension is user, address, target or campaign")]
    public string? Dimension { get; set; }

    /// <summary>How: <c>token_bucket</c> (default), <c>sliding_window</c> or <c>leaky_bucket</c>.</summary>
    [AllowedValues("token_bucket", "sliding_window", "leaky_bucket", ErrorMessage = "an algorithm is token_bucket, sliding_window or leaky_bucket")]
    public string Algorithm { get; set; } = "token_bucket";

    /// <summary>Token bucket: the most tokens that can be saved up, the largest burst. Default 60.</summary>
    [Range(typeof(long), "1", MaxTokens)]
    public long? TokenLimit { get; set; }

    /// <summary>Token bucket: tokens that come back in each <see cref="ReplenishmentPeriod"/>. Default 1.</summary>
    [Range(typeof(long), "1", MaxTokens)]
    public long? TokensPerPeriod { get; set; }

    /// <summary>Token bucket: the period; tokens come back evenly within it. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "31.00:00:00")]
    public TimeSpan? ReplenishmentPeriod { get; set; }

    /// <summary>Sliding window: the most permits in any window. Required for it.</summary>
    [Range(typeof(long), "1", MaxTokens)]
    public long? PermitLimit { get; set; }

    /// <summary>Sliding window: its length. Required for it.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "31.00:00:00")]
    public TimeSpan? Window { get; set; }

    /// <summary>Sliding window: in how many parts it moves on; a permit comes back up to one part late. Default 10.</summary>
    [Range(1, 100)]
    public int? SegmentsPerWindow { get; set; }

    /// <summary>Leaky bucket: how much it holds; 1 admits strictly evenly. Default 1.</summary>
    [Range(typeof(long), "1", MaxTokens)]
    public long? Capacity { get; set; }

    /// <summary>Leaky bucket: how much leaks out in each <see cref="LeakPeriod"/>. Default 1.</summary>
    [Range(typeof(long), "1", MaxTokens)]
    public long? LeakPerPeriod { get; set; }

    /// <summary>Leaky bucket: the period; it leaks evenly. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "31.00:00:00")]
    public TimeSpan? LeakPeriod { get; set; }

    /// <summary>What giving or withdrawing a heart costs. 0: nothing, and only <c>quota/acquire</c> is judged. Default 1.</summary>
    [Range(typeof(long), "0", MaxTokens)]
    public long HeartCost { get; set; } = 1;

    /// <summary>When the quota cannot be asked: <c>refuse</c> (default; 503, the limit holds) or <c>admit</c> (the limit does not hold meanwhile).</summary>
    [AllowedValues("refuse", "admit", ErrorMessage = "on outage it is refuse or admit")]
    public string OnOutage { get; set; } = "refuse";

    /// <summary>Judges, counts and tells, and refuses nothing. Default false.</summary>
    public bool Shadow { get; set; }

    /// <summary>Tokens of each key that each gateway gives by itself; 0 asks a silo for every call. Default 2. A sliding window has none.</summary>
    [Range(0, 1_000)]
    public int SliceTokens { get; set; } = 2;
}
