using HeartGrains.LoadTest.Report;

namespace HeartGrains.LoadTest.Overload;

/// <summary>One step towards the peak.</summary>
/// <param name="Connections">Connections, each with one heart in flight.</param>
/// <param name="HeartsPerSecond">Hearts answered 2xx a second.</param>
/// <param name="P99">Of all answers.</param>
/// <param name="NotAdmitted">All that was not answered 2xx.</param>
public sealed record PeakStep(int Connections, double HeartsPerSecond, TimeSpan P99, long NotAdmitted);

/// <summary>A promise and what was seen of it.</summary>
public sealed record Promise(string Name, string Seen, bool IsKept);

/// <summary>What a run saw.</summary>
public sealed record OverloadReport
{
    private const double GoodputPart = 0.9;
    private const double RefusedPart = 0.99;
    private static readonly TimeSpan RefusalLimit = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan RecoveryLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2);

    /// <summary>The options of the run.</summary>
    public required OverloadRunOptions Options { get; init; }

    /// <summary>The steps towards the peak; empty when it was given.</summary>
    public required IReadOnlyList<PeakStep> Steps { get; init; }

    /// <summary>Hearts a second at best.</summary>
    public required double Peak { get; init; }

    /// <summary>The phase at more than the peak.</summary>
    public required PhaseMeasures Overload { get; init; }

    /// <summary>The phase after it.</summary>
    public required PhaseMeasures Calm { get; init; }

    /// <summary>CPU time of the processes asked for during the overload.</summary>
    public required IReadOnlyList<CpuUse> Processes { get; init; }

    /// <summary>CPU time of this process during the overload.</summary>
    public required TimeSpan OwnCpu { get; init; }

    /// <summary>From the overload's end until two calm seconds began; null when they never came.</summary>
    public TimeSpan? Recovery => Calm.CalmAfter(Options.Goal, Quiet);

    /// <summary>
    /// What is promised. The time of refusals is judged at 99 %: on shared cores the slowest tells of the scheduler, and it is shown beside.
    /// </summary>
    public IReadOnlyList<Promise> Promises()
    {
        var admitted = Overload.Admitted.Read();
        var refusedInTime = Overload.Refused.PartUnder(RefusalLimit);
        return
        [
            new($"goodput at least {GoodputPart:P0} of the peak", $"{Overload.Goodput / Peak:P1}", Overload.Goodput >= GoodputPart * Peak),
            new($"p99 of admitted under {Options.Goal.TotalMilliseconds:0} ms", $"{admitted.P99.TotalMilliseconds:0.0} ms", admitted.P99 < Options.Goal),
            new($"refused in under {RefusalLimit.TotalMilliseconds:0} ms, {RefusedPart:P0} of them", $"{refusedInTime:P2}", refusedInTime >= RefusedPart),
            new("no answer but admitted and refused", $"{Overload.Failed:N0} others", Overload.Failed == 0),
            new($"recovered within {RecoveryLimit.TotalSeconds:0} s", Recovery is { } time ? $"{time.TotalSeconds:0.00} s" : "never", Recovery <= RecoveryLimit),
        ];
    }
}
