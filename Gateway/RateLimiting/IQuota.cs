using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>A user's quota.</summary>
public interface IQuota
{
    /// <summary>Takes one token of the user's. Refusals are values; that the quota cannot be asked is an exception.</summary>
    ValueTask<RateLimitDecision> AcquireAsync(string userId, CancellationToken cancellationToken);

    /// <summary>The policy in force.</summary>
    RateLimitPolicy Policy { get; }
}

/// <summary>A token bucket's figures.</summary>
/// <param name="TokenLimit">The most tokens a user can save up.</param>
/// <param name="TokensPerSecond">How fast they come back.</param>
public readonly record struct RateLimitPolicy(int TokenLimit, double TokensPerSecond);
