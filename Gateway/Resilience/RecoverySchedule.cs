namespace HeartGrains.Gateway.Resilience;

/// <summary>When a failed call is made again: base × 2ⁿ, capped, ±20 %, and before every fifth attempt a silo is asked first whether it is ready.</summary>
/// <param name="baseDelay">Before the first retry.</param>
/// <param name="cap">Before any, but for the jitter.</param>
public sealed class RecoverySchedule(TimeSpan baseDelay, TimeSpan cap)
{
    /// <summary>How much a delay is longer or shorter by chance.</summary>
    public const double Jitter = 0.2;

    private const int ProbePeriod = 5;
    private static readonly int[] ComeBack = [2, 2, 3];

    /// <summary>The wait after the failed attempt number <paramref name="attempt"/>, from 0; <paramref name="chance"/> is 0 to 1.</summary>
    public TimeSpan DelayAfter(int attempt, double chance)
    {
        var growing = baseDelay * Math.Pow(2, Math.Min(attempt, 30));
        return (growing < cap ? growing : cap) * (1 + (Jitter * ((2 * chance) - 1)));
    }

    /// <summary>After the failed attempt number <paramref name="attempt"/>, from 0, a silo is asked before it goes on: the next is the fifth, the tenth and so on, counted from one.</summary>
    public static bool AsksAfter(int attempt) => (attempt + 2) % ProbePeriod == 0;

    /// <summary>
    /// What a caller who was given up for want of a silo is told to wait, in seconds: 2, 2 and 3 in turn. Callers who come back each second send more in an outage than retries ever do; docs/resilience.md has the
    /// measurements.
    /// </summary>
    /// <param name="turn">Counts those who were told.</param>
    public static int ComeBackSeconds(int turn) => ComeBack[(uint)turn % ComeBack.Length];
}
