namespace HeartGrains.Resilience;

/// <summary>How the breakers of a silo stand.</summary>
/// <param name="Silo">The silo's name: its HTTP address.</param>
/// <param name="Breakers">Each of its own.</param>
/// <param name="AgeMillis">How long ago it told so.</param>
[GenerateSerializer, Immutable, Alias("resilience.SiloBreakers")]
public sealed record SiloBreakers(
    [property: Id(0)] string Silo,
    [property: Id(1)] BreakerReport[] Breakers,
    [property: Id(2)] long AgeMillis = 0);

/// <summary>How a breaker stands; the fields are those of <c>GET /breakers</c>.</summary>
/// <param name="Name">The dependency.</param>
/// <param name="State">As it is written in answers.</param>
/// <param name="IsDegraded">Closed, with too few good answers in time.</param>
/// <param name="Calls">Of the window.</param>
/// <param name="FailureRate">Of the window, 0 to 1.</param>
/// <param name="P95">Of the window.</param>
/// <param name="Health">Good answers in time to all calls of the window, 0 to 1.</param>
/// <param name="Rejected">Calls turned away since the start.</param>
/// <param name="Reason">Of the last change of state; empty before the first.</param>
/// <param name="NextAttempt">Until a break or an operator's time is over; null when nothing is waited for.</param>
[GenerateSerializer, Immutable, Alias("resilience.BreakerReport")]
public sealed record BreakerReport(
    [property: Id(0)] string Name,
    [property: Id(1)] string State,
    [property: Id(2)] bool IsDegraded,
    [property: Id(3)] int Calls,
    [property: Id(4)] double FailureRate,
    [property: Id(5)] TimeSpan P95,
    [property: Id(6)] double Health,
    [property: Id(7)] long Rejected,
    [property: Id(8)] string Reason,
    [property: Id(9)] TimeSpan? NextAttempt);
