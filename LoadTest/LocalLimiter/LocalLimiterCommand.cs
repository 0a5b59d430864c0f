using System.CommandLine;
using HeartGrains.LoadTest.Report;
using Spectre.Console;

namespace HeartGrains.LoadTest.LocalLimiter;

/// <summary><c>local-limiter</c>: measures a decision of the local limiter beside the library's, and checks that it is exact under threads.</summary>
public static class LocalLimiterCommand
{
    private const int Threads = 8;
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
        var decisions = ShortBenchmark.Measure<LimiterBenchmarks>(console, "local-limiter").ConvertAll(static measured => new Decision(measured));
        if (decisions.Count == 0) return ExitCode.Failed;
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

    private static void Write(IAnsiConsole console, List<Decision> decisions)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn(new TableColumn("one thread").NoWrap());
        foreach (var column in new[] { "ns", "ns of each round", "M/s", "× lib", "bytes" }) table.AddColumn(new TableColumn(column).RightAligned().NoWrap());
        foreach (var decision in decisions)
        {
            var library = decisions.Single(other => other.IsLibrary && other.Refuses == decision.Refuses);
            table.AddRow(
                decision.Name, $"{decision.Nanos:0.0}", decision.Cost.RoundsText, $"{1_000 / decision.Nanos:0.0}",
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

    private sealed record Decision(ShortBenchmark Cost)
    {
        public string Name => Cost.Name;

        public double Nanos => Cost.Nanos;

        public long? Bytes => Cost.Bytes;

        public bool IsLibrary => Name.StartsWith("library", StringComparison.Ordinal);

        public bool Refuses => Name.EndsWith("refuses", StringComparison.Ordinal);
    }
}
