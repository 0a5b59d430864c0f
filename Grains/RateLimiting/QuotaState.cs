namespace HeartGrains.RateLimiting;

/// <summary>
/// A user's bucket as it is stored. There is no time stamp in it: whoever loads it starts its own clock, so that no step of a wall clock
/// gives tokens away. A user without a row has a full bucket.
/// </summary>
[GenerateSerializer, Alias("ratelimiting.QuotaState")]
public sealed class QuotaState
{
    /// <summary>Millionths of a token in the bucket, rounded down.</summary>
    [Id(0)] public long Microtokens { get; set; }

    /// <summary>Tokens taken out of the bucket that the writer may still spend.</summary>
    [Id(1)] public int TokensInHand { get; set; }
}
