using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;
using Spectre.Console;

namespace HeartGrains.LoadTest.Report;

/// <summary>What a benchmark took in each of several rounds.</summary>
/// <param name="Name">Its description.</param>
/// <param name="RoundNanos">The median of each round, in nanoseconds.</param>
/// <param name="Bytes">Allocated for each call.</param>
internal sealed record ShortBenchmark(string Name, IReadOnlyList<double> RoundNanos, long? Bytes)
{
    private const int Rounds = 5;
    private const int Iterations = 100;

    /// <summary>The median of the rounds.</summary>
    public double Nanos { get; } = RoundNanos.Order().ElementAt(RoundNanos.Count / 2);

    /// <summary>The rounds in turn, for a table.</summary>
    public string RoundsText => string.Join(' ', RoundNanos.Select(static nanos => nanos < 100 ? $"{nanos:0.0}" : $"{nanos:0}"));

    /// <summary>Measures the benchmarks of a class with BenchmarkDotNet; none when that was not possible, and then it has said why.</summary>
    public static List<ShortBenchmark> Measure<T>(IAnsiConsole console, string command)
    {
        console.WriteLine("Measuring single calls with BenchmarkDotNet …");
        var rounds = Enumerable.Range(0, Rounds).Select(static _ => Round<T>()).ToList();
        if (rounds.FirstOrDefault(static round => round.HasCriticalValidationErrors || round.Reports.IsEmpty) is not { } failed) return Of(rounds);

        foreach (var error in failed.ValidationErrors) console.MarkupLineInterpolated($"[red]{error.Message}[/]");
        console.WriteLine($"Try: dotnet run -c Release --project LoadTest -- {command}");
        return [];
    }

    private static Summary Round<T>()
    {
        // In this process: the build of a project of its own would take longer than the measurement. Many short iterations, in rounds that take
        // turns, and their median: on a busy machine most of them run undisturbed.
        var job = Job.Default.WithToolchain(InProcessEmitToolchain.Instance)
            .WithIterationTime(TimeInterval.FromMilliseconds(2)).WithWarmupCount(Iterations).WithIterationCount(Iterations);
        var config = ManualConfig.CreateEmpty()
            .AddJob(job)
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddLogger(NullLogger.Instance)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "heartgrains-benchmarks"));
        return BenchmarkRunner.Run<T>(config);
    }

    private static List<ShortBenchmark> Of(IEnumerable<Summary> rounds) =>
    [
        .. rounds.SelectMany(static round => round.Reports)
            .GroupBy(static report => report.BenchmarkCase.Descriptor.WorkloadMethodDisplayInfo.Trim('\''))
            .Select(static reports => new ShortBenchmark(
                reports.Key,
                [.. reports.Select(static report => report.ResultStatistics?.Median ?? double.NaN)],
                reports.Min(static report => report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase)))),
    ];
}
