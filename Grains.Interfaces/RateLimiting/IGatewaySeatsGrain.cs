namespace HeartGrains.RateLimiting;

/// <summary>
/// Knows the cluster's gateways and gives each a seat. A seated gateway may admit a small slice of each quota by itself, and the grains of all
/// silos leave that much to it; so they have to agree on the number of seats. Its key is 0.
/// </summary>
[Alias("ratelimiting.IGatewaySeatsGrain")]
public interface IGatewaySeatsGrain : IGrainWithIntegerKey
{
    /// <summary>Takes or keeps a seat for the gateway process <paramref name="gatewayId"/>, and tells the policies in force.</summary>
    [Alias("Renew")]
    ValueTask<GatewaySeat> RenewAsync(Guid gatewayId, CancellationToken cancellationToken = default);

    /// <summary>How many seats grains have to leave room for, during the lease.</summary>
    [Alias("Count")]
    ValueTask<SeatCount> CountAsync(CancellationToken cancellationToken = default);
}

/// <summary>A gateway's part in the quotas.</summary>
/// <param name="Policies">The silos' policies.</param>
/// <param name="Index">The seat's number from 0; -1 when none was free yet: then every call asks the grains.</param>
/// <param name="Term">Which giving away of the seat this is: as long as it stays the same, nobody else has had the seat.</param>
/// <param name="FreeMillis">How long nobody had used the seat when it was given plus how long this gateway has had it, rounded down.</param>
/// <param name="LeaseMillis">How long seat and policies hold, counted from before the call.</param>
[GenerateSerializer, Immutable, Alias("ratelimiting.GatewaySeat")]
public readonly record struct GatewaySeat(
    [property: Id(0)] QuotaPolicy[] Policies,
    [property: Id(1)] int Index,
    [property: Id(2)] long Term,
    [property: Id(3)] long FreeMillis,
    [property: Id(4)] long LeaseMillis);

/// <summary>How many seats there are.</summary>
/// <param name="Seats">The number.</param>
/// <param name="LeaseMillis">How long it holds, counted from before the call.</param>
[GenerateSerializer, Immutable, Alias("ratelimiting.SeatCount")]
public readonly record struct SeatCount([property: Id(0)] int Seats, [property: Id(1)] long LeaseMillis);
