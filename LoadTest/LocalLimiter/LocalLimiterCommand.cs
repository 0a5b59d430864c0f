using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;
using Spectre.Console;

namespace HeartGrains.LoadTest.LocalLimiter;

/// <summary><c>local-limiter</c>: measures a decision of the local limiter beside the library's, and checks that it is exact under threads.</summary>
public static class LocalLimiterCommand
{
    private const int Threads = 8;
    private const int Rounds = 5;
    private const int Iterations = 100;
    private static readonly TimeSpan HammerTime = TimeSpan.FromSeconds(1);

    /// <summary>The command, which writes to <paramref name="console"/>.</summary>
    public static Command Create(IAnsiConsole console)
    {
        var command = new Command("local-limiter", "Measures the gateway's local limiter beside System.Threading.RateLimiting; takes a minute.");
        command.SetAction(_ => Run(console));
        return command;
    }

    private static int Run(IAnsiConsole console)
    {
        console.WriteLine("Measuring single decisions with BenchmarkDotNet …");
        var rounds = Enumerable.Range(0, Rounds).Select(_ => Measure()).ToList();
        if (rounds.FirstOrDefault(static round => round.HasCriticalValidationErrors || round.Reports.IsEmpty) is { } failed)
        {
            foreach (var error in failed.ValidationErrors) console.MarkupLineInterpolated($"[red]{error.Message}[/]");
            console.WriteLine("Try: dotnet run -c Release --project LoadTest -- local-limiter");
            return ExitCode.Failed;
        }

        var decisions = Decision.Of(rounds);
        Write(console, decisions);

        HammerReport[] reports =
        [
            LimiterHammer.Run(Threads, tokenLimit: 1_000_000, tokensPerSecond: 1_000_000, HammerTime),
            LimiterHammer.Run(Threads, tokenLimit: 10_000, tokensPerSecond: 10_000, HammerTime),
            LimiterHammer.Run(Threads, tokenLimit: 100, tokensPerSecond: 100, HammerTime),
        ];
        Write(console, reports);
        return reports.All(static report => report.IsExact) && decisions.All(static decision => decision.Bytes == 0 || decision.IsLibrary)
            ? ExitCode.Success
            : ExitCode.Failed;
    }

    private static Summary Measure()
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
        return BenchmarkRunner.Run<LimiterBenchmarks>(config);
    }

    private static void Write(IAnsiConsole console, List<Decision> decisions)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn(new TableColumn("one thread").NoWrap());
        foreach (var column in new[] { "ns", "ns of each round", "M/s", "× lib", "bytes" }) table.AddColumn(new TableColumn(column).RightAligned().NoWrap());
        foreach (var decision in decisions)
        {
            var library = decisions.Single(other => other.IsLibrary && other.Refuses == decision.Refuses);
            table.AddRow(
                decision.Name, $"{decision.Nanos:0.0}", string.Join(' ', decision.RoundNanos.Select(static nanos => nanos < 100 ? $"{nanos:0.0}" : $"{nanos:0}")), $"{1_000 / decision.Nanos:0.0}",
                $"{library.Nanos / decision.Nanos:0.0}", $"{decision.Bytes}");
        }

        console.Write(table);
    }

    private static void Write(IAnsiConsole console, HammerReport[] reports)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn(new TableColumn($"{Threads} threads").NoWrap());
        foreach (var column in new[] { "due", "admitted", "at most", "M/s", "exact" }) table.AddColumn(new TableColumn(column).RightAligned());
        foreach (var report in reports)
        {
            table.AddRow(
                $"{report.TokenLimit:N0}, {report.TokensPerSecond:N0}/s", $"{Math.Floor(report.Least):N0}", $"{report.Admitted:N0}", $"{Math.Floor(report.Most):N0}",
                $"{report.Decisions / report.Elapsed.TotalSeconds / 1e6:0.0}", report.IsExact ? "yes" : "NO");
        }

        console.Write(table);
    }

    private sealed record Decision(string Name, IReadOnlyList<double> RoundNanos, long? Bytes)
    {
        public double Nanos { get; } = RoundNanos.Order().ElementAt(RoundNanos.Count / 2);

        public bool IsLibrary => Name.StartsWith("library", StringComparison.Ordinal);

        public bool Refuses => Name.EndsWith("refuses", StringComparison.Ordinal);

        public static List<Decision> Of(IEnumerable<Summary> rounds) =>
        [
            .. rounds.SelectMany(static round => round.Reports)
                .GroupBy(static report => report.BenchmarkCase.Descriptor.WorkloadMethodDisplayInfo.Trim('\''))
                .Select(static reports => new Decision(
                    reports.Key,
                    [.. reports.Select(static report => report.ResultStatistics?.Median ?? double.NaN)],
                    reports.Min(static report => report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase)))),
        ];
    }
}
