using System.CommandLine;
using Spectre.Console;

namespace HeartGrains.LoadTest.Recovery;

/// <summary><c>recovery</c>: compares plain backoff with the gateway's own way back after an outage, in virtual time.</summary>
public static class RecoveryCommand
{
    private static readonly TimeSpan TimeGoal = TimeSpan.FromSeconds(1.3);
    private const double AmplificationGoal = 5.2;
    private const double ProbeGoal = 0.947;

    private static readonly Option<int> Recoveries = OptionValues.Within(
        new Option<int>("--recoveries") { Description = "How many outages.", DefaultValueFactory = _ => 1_000 }, 1, 100_000);

    private static readonly Option<int> Seed = OptionValues.Within(
        new Option<int>("--seed") { Description = "Gives the same outages and the same chances again.", DefaultValueFactory = _ => 1 }, 0, int.MaxValue);

    private static readonly Option<TimeSpan> Early = new("--early")
    {
        Description = "How much too soon the service may say that it is ready, e.g. 250ms; not at all unless given.",
        CustomParser = static result => OptionValues.Duration(result, TimeSpan.FromMinutes(1)),
    };

    private static readonly Option<FileInfo?> Chart = new("--chart") { Description = "Draws the distributions of the time to recover into this SVG file." };

    static RecoveryCommand() => Chart.Validators.Add(result =>
    {
        var file = result.GetValueOrDefault<FileInfo?>();
        if (file is { Extension: ".svg", Directory.Exists: true }) return;
        result.AddError($"'{file}' is not an SVG file in a folder that exists; write e.g. --chart docs/images/recovery.svg.");
    });

    /// <summary>The command, which writes to <paramref name="console"/>.</summary>
    public static Command Create(IAnsiConsole console)
    {
        var command = new Command("recovery", "Simulates recoveries after outages: plain backoff against the gateway's; takes seconds.") { Recoveries, Seed, Early, Chart };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, IAnsiConsole console, CancellationToken cancellationToken)
    {
        var (recoveries, seed) = (parsed.GetValue(Recoveries), parsed.GetValue(Seed));
        var reports = RecoveryModel.All.Select(model => RecoveryReport.Simulate(model, recoveries, seed, parsed.GetValue(Early))).ToList();
        Write(console, reports);
        console.WriteLine($"{recoveries:N0} outages each, seed {seed}.");
        if (parsed.GetValue(Chart) is { } chart) await File.WriteAllTextAsync(chart.FullName, RecoveryChart.Draw(reports, seed), cancellationToken);
        return AreAimsReached(reports) ? ExitCode.Success : ExitCode.Failed;
    }

    /// <summary>
    /// Whether the delivered gateway reaches the aims: the time for one caller and for many, the amplification for many, as is usual, and the success of probes for one, because many
    /// send hardly any.
    /// </summary>
    internal static bool AreAimsReached(IEnumerable<RecoveryReport> reports)
    {
        var delivered = reports.Where(static report => report.Model.Gateway == GatewayRules.Delivered).ToList();
        return delivered.TrueForAll(static report => report.Mean <= TimeGoal)
            && delivered.Where(static report => report.Model.Callers > 1).All(static report => report.RequestsPerRecovery <= AmplificationGoal)
            && delivered.Where(static report => report.Model.Callers == 1).All(static report => report.ProbeSuccess >= ProbeGoal);
    }

    private static void Write(IAnsiConsole console, List<RecoveryReport> reports)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumn(new TableColumn("").NoWrap());
        foreach (var report in reports) table.AddColumn(new TableColumn(Markup.Escape(report.Model.Name)).RightAligned());
        Add("time to recover, s", static report => $"{report.Mean.TotalSeconds:0.00}");
        Add("  p50", static report => $"{report.Percentile(0.5).TotalSeconds:0.00}");
        Add("  p95", static report => $"{report.Percentile(0.95).TotalSeconds:0.00}");
        Add("requests/operation", static report => $"{report.RequestsPerOperation:0.0}");
        Add("  probes/operation", static report => $"{report.ProbesPerOperation:0.00}");
        Add("requests/recovery", static report => $"{report.RequestsPerRecovery:0.0}");
        Add("  operations", static report => $"{report.OperationsPerRecovery:0.0}");
        Add("probes told ready", static report => Part(report.ReadyShare));
        Add("  of", static report => $"{report.Probes:N0}");
        Add("probe success", static report => Part(report.ProbeSuccess));
        Add("  of", static report => $"{report.ReadyProbes:N0}");
        console.Write(table);

        void Add(string figure, Func<RecoveryReport, string> text) => table.AddRow([figure, .. reports.Select(text)]);
    }

    private static string Part(double? part) => part is { } value ? $"{100 * value:0.0} %" : "–";
}
