using System.CommandLine;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Spectre.Console;

namespace HeartGrains.LoadTest.QuotaCost;

/// <summary><c>quota-cost</c>: measures what the quota adds to the heart of a user who was not seen before.</summary>
public static class QuotaCostCommand
{
    private const double NanosGoal = 2_000;
    private const double BytesGoal = 100;

    /// <summary>The command, which writes to <paramref name="console"/>.</summary>
    public static Command Create(IAnsiConsole console)
    {
        var command = new Command("quota-cost", "Measures what the quota costs for a user not seen before, over a table of a million; takes a minute.");
        command.SetAction(_ => Run(console));
        return command;
    }

    private static int Run(IAnsiConsole console)
    {
        MeasureTable(users: 10_000);
        var bytesPerUser = MeasureTable(QuotaBenchmarks.Users);
        console.WriteLine("Measuring single decisions with BenchmarkDotNet …");
        var summary = Measure();
        if (summary.HasCriticalValidationErrors || summary.Reports.Length < 2)
        {
            foreach (var error in summary.ValidationErrors) console.MarkupLineInterpolated($"[red]{error.Message}[/]");
            console.WriteLine("Try: dotnet run -c Release --project LoadTest -- quota-cost");
            return ExitCode.Failed;
        }

        var (id, judged) = (Cost.Of(summary.Reports[0]), Cost.Of(summary.Reports[1]));
        var (nanos, garbage) = (judged.Nanos - id.Nanos, judged.Bytes - id.Bytes);
        var table = new Table().Border(TableBorder.Rounded).AddColumn(new TableColumn("a user's first heart").NoWrap());
        foreach (var column in new[] { "ns", "± ns", "bytes allocated" }) table.AddColumn(new TableColumn(column).RightAligned());
        table.AddRow("user id", $"{id.Nanos:0}", $"{id.ErrorNanos:0}", $"{id.Bytes}");
        table.AddRow("user id, decision, headers", $"{judged.Nanos:0}", $"{judged.ErrorNanos:0}", $"{judged.Bytes}");
        table.AddRow("the quota adds", $"{nanos:0}", "", $"{garbage}");
        console.Write(table);
        console.WriteLine($"Memory kept for each of {QuotaBenchmarks.Users:N0} users: {bytesPerUser:0.0} bytes.");
        return nanos <= NanosGoal && garbage <= BytesGoal && bytesPerUser <= BytesGoal ? ExitCode.Success : ExitCode.Failed;
    }

    /// <summary>What this process grows by when as many users come as the table has room for, over their number.</summary>
    private static double MeasureTable(int users)
    {
        var before = Resident();
        var quota = QuotaTables.Seated(TimeProvider.System, users, out var slices);
        var policy = quota.Set.Policies[0];
        Span<char> user = stackalloc char[7];
        for (var number = 0; number < users; number++)
        {
            number.TryFormat(user, out var length, "D7");
            slices.TryTake(policy, user[..length], 1, out _);
        }

        var grown = Resident() - before;
        GC.KeepAlive(slices);
        return (double)grown / users;
    }

    private static long Resident()
    {
        GC.Collect();
        return Environment.WorkingSet;
    }

    private static Summary Measure()
    {
        // In this process: the build of a project of its own would take longer than the measurement.
        var config = ManualConfig.CreateEmpty()
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
            .AddDiagnoser(MemoryDiagnoser.Default)
            .AddLogger(NullLogger.Instance)
            .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "heartgrains-benchmarks"));
        return BenchmarkRunner.Run<QuotaBenchmarks>(config);
    }

    private readonly record struct Cost(double Nanos, double ErrorNanos, long Bytes)
    {
        public static Cost Of(BenchmarkReport report) => new(
            report.ResultStatistics?.Mean ?? double.NaN,
            report.ResultStatistics?.StandardError ?? double.NaN,
            report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0);
    }
}
