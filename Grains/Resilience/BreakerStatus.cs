namespace HeartGrains.Resilience;

/// <summary>Whether a breaker lets calls pass. The numbers are those of the metric <c>heartgrains_breaker_state</c>.</summary>
public enum BreakerState
{
    /// <summary>All pass, and are looked at.</summary>
    Closed = 0,

    /// <summary>None passes until the break is over.</summary>
    Open = 1,

    /// <summary>A few pass, to find out.</summary>
    HalfOpen = 2,

    /// <summary>An operator keeps it open.</summary>
    ForcedOpen = 3,

    /// <summary>An operator keeps it closed: all pass, whatever becomes of them.</summary>
    ForcedClosed = 4,
}

/// <summary>Names of states.</summary>
public static class BreakerStates
{
    /// <summary>A state as it is written in metrics and answers.</summary>
    public static string Name(this BreakerState state) => state switch
    {
        BreakerState.Open => "open",
        BreakerState.HalfOpen => "half_open",
        BreakerState.ForcedOpen => "forced_open",
        BreakerState.ForcedClosed => "forced_closed",
        _ => "closed",
    };
}

/// <summary>What a call that passed tells the breaker.</summary>
public enum CallVerdict
{
    /// <summary>The dependency did its part.</summary>
    Good,

    /// <summary>It did not.</summary>
    Failed,

    /// <summary>It answered, which ends a break, but what the answer was and how long it took was not up to it.</summary>
    Reached,

    /// <summary>It says nothing of the dependency: the caller went away.</summary>
    Ignored,
}

/// <summary>A change of state.</summary>
public readonly record struct BreakerTransition(string Breaker, BreakerState From, BreakerState To, string Reason);

/// <summary>How a breaker stands.</summary>
/// <param name="State">Now.</param>
/// <param name="Reading">The window's calls.</param>
/// <param name="IsDegraded">Closed, with too few good answers in time.</param>
/// <param name="Reason">Of the last change of state; empty before the first.</param>
/// <param name="NextAttempt">Until a break or an operator's time is over; null when nothing is waited for.</param>
/// <param name="Rejected">Calls turned away since the start.</param>
public readonly record struct BreakerStatus(
    BreakerState State, BreakerReading Reading, bool IsDegraded, string Reason, TimeSpan? NextAttempt, long Rejected);
