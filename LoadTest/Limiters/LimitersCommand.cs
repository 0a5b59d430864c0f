using System.CommandLine;
using HeartGrains.LoadTest.Report;
using Spectre.Console;

namespace HeartGrains.LoadTest.Limiters;

/// <summary><c>limiters</c>: sends the same load at each algorithm through a gateway of its own and compares what they admit.</summary>
public static class LimitersCommand
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);

    private static readonly Option<int> Rate = OptionValues.Within(
        new Option<int>("--rate") { Description = "The limit, requests a second.", DefaultValueFactory = _ => 1_000 }, 10, 10_000);

    private static readonly Option<TimeSpan> Even = new("--even")
    {
        Description = "How long to ask evenly at the limit.",
        CustomParser = result => OptionValues.Duration(result, TimeSpan.FromHours(1)),
        DefaultValueFactory = _ => TimeSpan.FromSeconds(10),
    };

    private static readonly Option<int> Bursts = OptionValues.Within(
        new Option<int>("--bursts") { Description = "How many bursts of each kind.", DefaultValueFactory = _ => 3 }, 1, 100);

    private static readonly Option<int> Connections = OptionValues.Within(
        new Option<int>("--connections") { Description = "Connections, each with one request in flight.", DefaultValueFactory = _ => 128 }, 1, 10_000);

    private static readonly Option<FileInfo?> Chart = new("--chart") { Description = "Draws what was admitted into this SVG file." };

    static LimitersCommand() => Chart.Validators.Add(result =>
    {
        var file = result.GetValueOrDefault<FileInfo?>();
        if (file is { Extension: ".svg", Directory.Exists: true }) return;
        result.AddError($"'{file}' is not an SVG file in a folder that exists; write e.g. --chart docs/images/limiters.svg.");
    });

    /// <summary>The command, which writes to <paramref name="console"/>.</summary>
    public static Command Create(IAnsiConsole console)
    {
        var command = new Command("limiters", "Compares the rate limiting algorithms through a real gateway; takes two minutes.") { Rate, Even, Bursts, Connections, Chart };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, IAnsiConsole console, CancellationToken cancellationToken)
    {
        var plan = LoadPlan.Create(parsed.GetValue(Rate), parsed.GetValue(Even), parsed.GetValue(Bursts));
        var reports = new List<LimiterReport>();
        try
        {
            foreach (var limiterCase in LimiterCase.All(plan.PerSecond))
                reports.Add(await MeasureAsync(limiterCase, plan, parsed.GetValue(Connections), console, cancellationToken));
        }
        catch (OperationCanceledException)
        {
            console.MarkupLine("[yellow]Interrupted:[/] nothing is compared.");
            return ExitCode.Failed;
        }
        catch (InvalidOperationException exception)
        {
            console.MarkupLineInterpolated($"[red]The gateway did not start:[/] {exception.Message}");
            return ExitCode.Failed;
        }

        LimiterTables.Write(console, reports);
        if (parsed.GetValue(Chart) is { } chart) await File.WriteAllTextAsync(chart.FullName, LimiterChart.Draw(reports), cancellationToken);
        return reports.All(static report => report.IsKept && report.AdmittedPerSecond > 0) ? ExitCode.Success : ExitCode.Failed;
    }

    private static async Task<LimiterReport> MeasureAsync(
        LimiterCase limiterCase, LoadPlan plan, int connections, IAnsiConsole console, CancellationToken cancellationToken)
    {
        await using var gateway = await GatewayProcess.StartAsync(limiterCase.SettingsJson, cancellationToken);

        // Another user's: the measured one starts whole, and the code does not start cold.
        await LimiterLoad.RunAsync(gateway.Url, "warm-up", LoadPlan.Steady(plan.PerSecond, WarmUp), connections, cancellationToken: cancellationToken);
        var calls = await RunDisplay.ShowAsync<double, IReadOnlyList<QuotaCall>>(
            console,
            progress => LimiterLoad.RunAsync(gateway.Url, "measured", plan, connections, progress, cancellationToken),
            done => new(done, limiterCase.Name));
        return new LimiterReport(limiterCase, plan, calls, MeterMemory.BytesPerUser(limiterCase.Policy));
    }
}
