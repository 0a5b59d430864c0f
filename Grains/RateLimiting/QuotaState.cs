namespace HeartGrains.RateLimiting;

/// <summary>The quotas of one key as they are stored: of each policy under which anything is missing, by its name.</summary>
[GenerateSerializer, Alias("ratelimiting.QuotaState")]
public sealed class QuotaState
{
    /// <summary>Levels by policy.</summary>
    [Id(0)] public Dictionary<string, QuotaLevel> Levels { get; set; } = [];
}

/// <summary>
/// What is missing under a policy: that, and not what is left, because the grain's share of the limit changes with the number of gateways.
/// </summary>
/// <param name="Spent">Whole tokens spent that time has not brought back.</param>
/// <param name="Millionths">The rest of a token, in millionths, rounded up.</param>
/// <param name="InHand">Tokens taken out that the writer may still give.</param>
/// <param name="Share">The grain's share of the limit then.</param>
/// <param name="AsOf">When that was so, by the writer's wall clock: milliseconds of Unix time; 0 while nobody has said.</param>
/// <param name="SegmentAge">Under a sliding window: how old the current segment was, in milliseconds, rounded down.</param>
/// <param name="Earlier">Under a sliding window: which of those spent were spent in earlier segments, oldest first.</param>
[GenerateSerializer, Immutable, Alias("ratelimiting.QuotaLevel")]
public sealed record QuotaLevel(
    [property: Id(0)] long Spent, [property: Id(1)] int Millionths, [property: Id(2)] long InHand, [property: Id(3)] long Share,
    [property: Id(4)] long AsOf = 0, [property: Id(5)] long SegmentAge = 0, [property: Id(6)] QuotaSpending[]? Earlier = null)
{
    /// <summary>Nothing is missing.</summary>
    public bool IsWhole => Spent == 0 && Millionths == 0 && InHand == 0;

    /// <summary>
    /// The latest reading of a monotonic clock that the level can be of: <paramref name="now"/> less what the wall clocks say has passed, less what
    /// they may differ by, less the milliseconds they are cut to. So a wall clock gives nothing away while it is right to within <paramref name="maxClockSkew"/>.
    /// </summary>
    public long LatestReading(long now, long ticksPerSecond, DateTimeOffset utcNow, TimeSpan maxClockSkew)
    {
        if (AsOf == 0) return now;
        var millis = utcNow.ToUnixTimeMilliseconds() - AsOf - (long)Math.Ceiling(maxClockSkew.TotalMilliseconds) - 1;
        return now - ClockTicks.FromMillis(Math.Max(0, millis), ticksPerSecond);
    }
}

/// <summary>Tokens spent in a segment of a sliding window.</summary>
/// <param name="MillisAgo">How long before its end was, rounded up: within the segment.</param>
/// <param name="Tokens">How many.</param>
[GenerateSerializer, Immutable, Alias("ratelimiting.QuotaSpending")]
public readonly record struct QuotaSpending([property: Id(0)] long MillisAgo, [property: Id(1)] long Tokens);
