namespace HeartGrains.Resilience;

/// <summary>What an operator has told breakers to do, for all processes of the cluster, which ask every second. Its key is 0.</summary>
[Alias("resilience.IBreakerHandGrain")]
public interface IBreakerHandGrain : IGrainWithIntegerKey
{
    /// <summary>Sets a breaker's order. Returns its revision.</summary>
    [Alias("Set")]
    ValueTask<long> SetAsync(BreakerOrder order, CancellationToken cancellationToken = default);

    /// <summary>The orders there are, the latest of each breaker; those whose time is over are automatic. A silo tells how its own breakers stand when it asks.</summary>
    [Alias("Get")]
    ValueTask<BreakerOrder[]> GetAsync(SiloBreakers? told = null, CancellationToken cancellationToken = default);

    /// <summary>How the breakers of silos stand, of each silo that told so in the last ten seconds.</summary>
    [Alias("Silos")]
    ValueTask<SiloBreakers[]> SilosAsync(CancellationToken cancellationToken = default);
}

/// <summary>What a breaker may be told.</summary>
public enum BreakerHand
{
    /// <summary>To decide by itself.</summary>
    Auto,

    /// <summary>To let nothing pass.</summary>
    ForcedOpen,

    /// <summary>To let everything pass.</summary>
    ForcedClosed,
}

/// <summary>An operator's order.</summary>
/// <param name="Breaker">The dependency.</param>
/// <param name="Hand">What to do.</param>
/// <param name="RemainingMillis">For how long yet.</param>
/// <param name="Reason">Why.</param>
/// <param name="Revision">Grows with every order; who has seen one does not take it again.</param>
[GenerateSerializer, Immutable, Alias("resilience.BreakerOrder")]
public sealed record BreakerOrder(
    [property: Id(0)] string Breaker,
    [property: Id(1)] BreakerHand Hand,
    [property: Id(2)] long RemainingMillis,
    [property: Id(3)] string Reason,
    [property: Id(4)] long Revision = 0);
