using System.CommandLine;
using HeartGrains.LoadTest.Report;
using Spectre.Console;

namespace HeartGrains.LoadTest.Breaker;

/// <summary><c>breaker</c>: measures what a breaker adds to a call, beside Polly's own.</summary>
public static class BreakerCommand
{
    private const double RecordGoal = 50;
    private const double CallGoal = 200;

    /// <summary>The command, which writes to <paramref name="console"/>.</summary>
    public static Command Create(IAnsiConsole console)
    {
        var command = new Command("breaker", "Measures what a breaker adds to a call, beside Polly's own; takes a minute.");
        command.SetAction(_ => Run(console));
        return command;
    }

    private static int Run(IAnsiConsole console)
    {
        var costs = ShortBenchmark.Measure<BreakerBenchmarks>(console, "breaker");
        if (costs.Count == 0) return ExitCode.Failed;

        var none = Named(BreakerBenchmarks.None);
        var table = new Table().Border(TableBorder.Rounded).AddColumn(new TableColumn("one thread").NoWrap());
        foreach (var column in new[] { "ns", "ns of each round", "× nothing", "bytes" }) table.AddColumn(new TableColumn(column).RightAligned().NoWrap());
        foreach (var cost in costs) table.AddRow(cost.Name, $"{cost.Nanos:0.0}", cost.RoundsText, $"{cost.Nanos / none.Nanos:0.0}", $"{cost.Bytes}");
        console.Write(table);

        var added = Named(BreakerBenchmarks.Ours).Nanos - none.Nanos;
        console.WriteLine($"The breaker adds {added:0} ns to a call.");
        var recording = Named(BreakerBenchmarks.Recording);
        return added < CallGoal && recording.Nanos < RecordGoal && recording.Bytes == 0 ? ExitCode.Success : ExitCode.Failed;

        ShortBenchmark Named(string name) => costs.Single(cost => cost.Name == name);
    }
}
