namespace HeartGrains.RateLimiting;

/// <summary>What a policy counts by.</summary>
public enum QuotaDimension
{
    /// <summary>The user who gives or withdraws.</summary>
    User,

    /// <summary>The client's address: IPv4, or the /64 of IPv6.</summary>
    Address,

    /// <summary>The target.</summary>
    Target,

    /// <summary>The campaign a heart names, if it does.</summary>
    Campaign,
}

/// <summary>How a policy counts.</summary>
public enum QuotaAlgorithm
{
    /// <summary>A burst of up to the limit, and a steady refill.</summary>
    TokenBucket,

    /// <summary>At most the limit in any window of the given length.</summary>
    SlidingWindow,

    /// <summary>A bucket that leaks steadily, as a meter: what would overflow is refused.</summary>
    LeakyBucket,
}

/// <summary>
/// A quota, the same for every key of its dimension. Whatever the algorithm, no interval of W seconds sees more than
/// <c>Limit + Limit / Window × W</c> admitted.
/// </summary>
[GenerateSerializer, Immutable, Alias("ratelimiting.QuotaPolicy")]
public sealed record QuotaPolicy
{
    /// <summary>Unique among the policies; 1–64 characters <c>a–z 0–9 _ -</c>.</summary>
    [Id(0)] public required string Name { get; init; }

    /// <summary>What it counts by.</summary>
    [Id(1)] public required QuotaDimension Dimension { get; init; }

    /// <summary>How it counts.</summary>
    [Id(2)] public required QuotaAlgorithm Algorithm { get; init; }

    /// <summary>The most tokens at once, 1 to 2⁵³.</summary>
    [Id(3)] public required long Limit { get; init; }

    /// <summary>How long an empty token bucket takes to fill and a full leaky one to drain; the length of a sliding window.</summary>
    [Id(4)] public required TimeSpan Window { get; init; }

    /// <summary>Parts in which a sliding window moves on.</summary>
    [Id(5)] public int Segments { get; init; } = 1;

    /// <summary>What a heart costs, in tokens; 0 lets hearts pass and counts only <c>quota/acquire</c>.</summary>
    [Id(6)] public long HeartCost { get; init; } = 1;

    /// <summary>Lets calls pass that it could not judge, instead of refusing them with 503.</summary>
    [Id(7)] public bool AdmitsOnOutage { get; init; }

    /// <summary>Judges and tells, and refuses nothing.</summary>
    [Id(8)] public bool IsShadow { get; init; }

    /// <summary>Tokens of each key that each seated gateway gives by itself.</summary>
    [Id(9)] public int SliceTokens { get; init; }

    /// <summary>
    /// How many gateways have slices: as many as leave at least half of the limit to the grain. A sliding window has none, because permits that
    /// move between holders would be counted by neither.
    /// </summary>
    public int SlicedSeats => Algorithm == QuotaAlgorithm.SlidingWindow || SliceTokens == 0 ? 0 : (int)Math.Min(int.MaxValue, Limit / 2 / SliceTokens);

    /// <summary>What is left to the grain when there are <paramref name="seats"/> seats.</summary>
    public long GrainLimit(int seats) => Limit - (long)Math.Min(seats, SlicedSeats) * SliceTokens;

    /// <summary>A bucket's share fills at the same pace as the whole; in clock ticks, rounded up, at least 1.</summary>
    public long WindowTicks(long ticksPerSecond) =>
        (long)Int128.Max(1, ((Int128)Window.Ticks * ticksPerSecond + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond);
}
