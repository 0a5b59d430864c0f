using HeartGrains.LoadTest.Hearts;

namespace HeartGrains.LoadTest.Report;

/// <summary>How a running load stands.</summary>
/// <param name="Elapsed">Time since its start.</param>
/// <param name="Answered">Requests answered so far, whatever the status.</param>
/// <param name="Succeeded">Those answered 2xx.</param>
/// <param name="Failed">All other requests so far, those without an answer included.</param>
/// <param name="RequestsPerSecond">Answers a second since the last report.</param>
/// <param name="P99">The 99th percentile of all answers so far.</param>
public sealed record HeartLoadProgress(TimeSpan Elapsed, long Answered, long Succeeded, long Failed, double RequestsPerSecond, TimeSpan P99);

/// <summary>Latencies of all answers.</summary>
public sealed record Latencies(TimeSpan P50, TimeSpan P90, TimeSpan P99, TimeSpan P999, TimeSpan Max);

/// <summary>CPU time a process and its descendants used during the load.</summary>
/// <param name="ProcessId">The process.</param>
/// <param name="Name">Its name; null when it was not running at the start.</param>
/// <param name="Cpu">User and system time; null when it was not running at the start and at the end.</param>
public sealed record CpuUse(int ProcessId, string? Name, TimeSpan? Cpu);

/// <summary>What a load saw.</summary>
public sealed record HeartLoadReport
{
    /// <summary>The options of the run, its seed among them.</summary>
    public required HeartLoadOptions Options { get; init; }

    /// <summary>From the first request to the last answer.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Answers by status.</summary>
    public required IReadOnlyDictionary<int, long> Answers { get; init; }

    /// <summary>Attempts that found no server; nothing was sent.</summary>
    public required long NotConnected { get; init; }

    /// <summary>Requests whose connection broke before a whole answer.</summary>
    public required long Broken { get; init; }

    /// <summary>Requests without an answer in time.</summary>
    public required long TimedOut { get; init; }

    /// <summary>How long answers took.</summary>
    public required Latencies Latencies { get; init; }

    /// <summary>When requests succeeded.</summary>
    public required SuccessTimeline Timeline { get; init; }

    /// <summary>How long single targets failed.</summary>
    public required TargetOutages Outages { get; init; }

    /// <summary>CPU time of the processes asked for, in their order.</summary>
    public required IReadOnlyList<CpuUse> Processes { get; init; }

    /// <summary>CPU time of this process during the load.</summary>
    public required TimeSpan OwnCpu { get; init; }

    /// <summary>What was asked for and what became of it; null when no history was kept.</summary>
    public required HeartHistory? History { get; init; }

    /// <summary>The load ended early because its history was full.</summary>
    public required bool HistoryWasFull { get; init; }

    /// <summary>Requests that were answered, whatever the status.</summary>
    public long Answered => Answers.Values.Sum();

    /// <summary>Requests answered 2xx.</summary>
    public long Succeeded => Answers.Where(answer => answer.Key is >= 200 and < 300).Sum(answer => answer.Value);

    /// <summary>Answers a second.</summary>
    public double RequestsPerSecond => Answered / Elapsed.TotalSeconds;

    /// <summary>A CPU time over the answers, in microseconds.</summary>
    public double MicrosPerRequest(TimeSpan cpu) => cpu.TotalMicroseconds / Math.Max(1, Answered);
}
