using Orleans.Concurrency;

namespace HeartGrains.RateLimiting;

/// <summary>
/// A user's quota, cluster-wide. The grain key is <c>u:</c> and the user id (the prefix keeps ids that look like hexadecimal
/// numbers from being stored as numbers).
/// </summary>
[Alias("ratelimiting.IRateLimitGrain")]
public interface IRateLimitGrain : IGrainWithStringKey
{
    /// <summary>Takes <paramref name="tokens"/> from the user's bucket, all or none.</summary>
    [Alias("Acquire")]
    ValueTask<RateLimitDecision> AcquireAsync(int tokens, CancellationToken cancellationToken = default);
}

/// <summary>What the quota said.</summary>
/// <param name="IsAcquired">The call may go on.</param>
/// <param name="Remaining">Whole tokens left to the user at the grain.</param>
/// <param name="RetryAfterMillis">When refused: how long until the same call can succeed, in milliseconds; 0 otherwise.</param>
[GenerateSerializer, Immutable, Alias("ratelimiting.RateLimitDecision")]
public readonly record struct RateLimitDecision(
    [property: Id(0)] bool IsAcquired,
    [property: Id(1)] long Remaining,
    [property: Id(2)] long RetryAfterMillis);
