namespace HeartGrains.RateLimiting;

/// <summary>The quotas of one key as they are stored: of each policy under which anything is missing, by its name.</summary>
[GenerateSerializer, Alias("ratelimiting.QuotaState")]
public sealed class QuotaState
{
    /// <summary>Levels by policy.</summary>
    [Id(0)] public Dictionary<string, QuotaLevel> Levels { get; set; } = [];
}

/// <summary>
/// What is missing under a policy: that, and not what is left, because the grain's share of the limit changes with the number of gateways. There is no time
/// stamp in it: whoever loads it starts its own clock, so that no step of a wall clock gives tokens away, and counts all of it as spent just then.
/// </summary>
/// <param name="Spent">Whole tokens spent that time has not brought back.</param>
/// <param name="Millionths">The rest of a token, in millionths, rounded up.</param>
/// <param name="InHand">Tokens taken out that the writer may still give.</param>
[GenerateSerializer, Immutable, Alias("ratelimiting.QuotaLevel")]
public sealed record QuotaLevel([property: Id(0)] long Spent, [property: Id(1)] int Millionths, [property: Id(2)] long InHand);
