using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>Asks whether a user may do one more thing. A refusal is a value; an exception means the quota could not be asked.</summary>
public interface IQuota
{
    /// <summary>The policy in force, for the headers that tell clients.</summary>
    RateLimitPolicy Policy { get; }

    /// <summary>Takes one token of the user's.</summary>
    ValueTask<RateLimitDecision> AcquireAsync(string userId, CancellationToken cancellationToken);
}

/// <summary>A token bucket's figures.</summary>
/// <param name="TokenLimit">The most tokens a user can save up.</param>
/// <param name="TokensPerSecond">How fast they come back.</param>
public readonly record struct RateLimitPolicy(int TokenLimit, double TokensPerSecond);
