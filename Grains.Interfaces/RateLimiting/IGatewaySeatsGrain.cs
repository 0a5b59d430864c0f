namespace HeartGrains.RateLimiting;

/// <summary>
/// Hands out the cluster's seats: a gateway that holds one may admit a small slice of each user's quota by itself. Seats are
/// leased, so that all slices and the grains' rest never add up to more than the quota. Its key is 0.
/// </summary>
[Alias("ratelimiting.IGatewaySeatsGrain")]
public interface IGatewaySeatsGrain : IGrainWithIntegerKey
{
    /// <summary>Takes or keeps a seat for the gateway process <paramref name="gatewayId"/>.</summary>
    [Alias("Renew")]
    ValueTask<GatewaySeat> RenewAsync(Guid gatewayId, CancellationToken cancellationToken = default);
}

/// <summary>The quota policy, and the gateway's part in it.</summary>
/// <param name="TokenLimit">The most tokens a user can save up.</param>
/// <param name="TokensPerSecond">How fast a user's tokens come back, cluster-wide.</param>
/// <param name="SliceTokens">How many of them this gateway holds for each user; 0 when no seat was free.</param>
/// <param name="LeaseSeconds">How long the seat holds, counted from before the call.</param>
[GenerateSerializer, Immutable, Alias("ratelimiting.GatewaySeat")]
public readonly record struct GatewaySeat(
    [property: Id(0)] int TokenLimit,
    [property: Id(1)] double TokensPerSecond,
    [property: Id(2)] int SliceTokens,
    [property: Id(3)] int LeaseSeconds);
