using System.CommandLine;
using HeartGrains.LoadTest.Hearts;
using HeartGrains.LoadTest.Report;
using Spectre.Console;

namespace HeartGrains.LoadTest.Overload;

/// <summary><c>overload</c>: finds the peak, offers a multiple of it whether answers come or not, and checks what is promised of that.</summary>
public static class OverloadCommand
{
    private static readonly TimeSpan LengthLimit = TimeSpan.FromHours(1);

    private static readonly Option<Uri[]> Url = new("--url")
    {
        Description = "Gateways, separated by commas or repeated; connections are spread over them.",
        CustomParser = OptionValues.Urls,
        DefaultValueFactory = _ => [new Uri("http://127.0.0.1:8080")],
    };

    private static readonly Option<TimeSpan> Goal = Time("--goal", "What the p99 of admitted hearts is to stay under.", TimeSpan.FromMilliseconds(250));
    private static readonly Option<TimeSpan> Duration = Time("--duration", "How long the overload lasts.", TimeSpan.FromSeconds(20));
    private static readonly Option<TimeSpan> Calm = Time("--calm", "How long the calm afterwards lasts.", TimeSpan.FromSeconds(15));
    private static readonly Option<TimeSpan> WarmUp = Time("--warmup", "How long hearts are given before anything is measured.", TimeSpan.FromSeconds(10));
    private static readonly Option<TimeSpan> PeakStep = Time("--peak-step", "How long each step towards the peak takes.", TimeSpan.FromSeconds(6));

    private static readonly Option<double> Factor = OptionValues.Within(
        new Option<double>("--factor") { Description = "The load offered, as a multiple of the peak.", DefaultValueFactory = _ => 2 }, 0.1, 100);

    private static readonly Option<double> Peak = OptionValues.Within(
        new Option<double>("--peak") { Description = "The peak in hearts a second; 0 finds it first.", DefaultValueFactory = _ => 0 }, 0, 1_000_000);

    private static readonly Option<int> Connections = OptionValues.Within(
        new Option<int>("--connections") { Description = "Connections kept open for the overload.", DefaultValueFactory = _ => 3_000 }, 1, 20_000);

    private static readonly Option<int> Targets = OptionValues.Within(
        new Option<int>("--targets") { Description = "How many targets.", DefaultValueFactory = _ => 10_000 }, 1, HeartLoadOptions.TargetsLimit);

    private static readonly Option<int[]> Pids = new("--pids")
    {
        Description = "Processes whose CPU time during the overload is reported, each with its children.",
        CustomParser = OptionValues.ProcessIds,
    };

    private static readonly Option<int?> Seed = new("--seed") { Description = "Chooses targets and users; printed at the end, random when not given." };

    /// <summary>The command, which writes to <paramref name="console"/>.</summary>
    public static Command Create(IAnsiConsole console)
    {
        var command = new Command("overload", "Offers more hearts than can be answered, and checks how the gateway protects itself.")
        {
            Url, Goal, Factor, Peak, Duration, Calm, WarmUp, PeakStep, Connections, Targets, Pids, Seed,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, IAnsiConsole console, CancellationToken cancellationToken)
    {
        var options = new OverloadRunOptions
        {
            Urls = parsed.GetRequiredValue(Url),
            Goal = parsed.GetValue(Goal),
            Factor = parsed.GetValue(Factor),
            Peak = parsed.GetValue(Peak),
            Duration = parsed.GetValue(Duration),
            Calm = parsed.GetValue(Calm),
            WarmUp = parsed.GetValue(WarmUp),
            PeakStep = parsed.GetValue(PeakStep),
            Connections = parsed.GetValue(Connections),
            Targets = parsed.GetValue(Targets),
            ProcessIds = parsed.GetValue(Pids) ?? [],
            Seed = parsed.GetValue(Seed) ?? Random.Shared.Next(),
        };

        var report = await RunDisplay.ShowAsync<OverloadProgress, OverloadReport?>(
            console, progress => OverloadRun.RunAsync(options, progress, cancellationToken), at => new(at.Done, at.Text));
        if (report is null)
        {
            console.MarkupLine("[red]No heart was admitted, or not every connection could be opened.[/] Is a gateway listening there, and ready?");
            return ExitCode.Failed;
        }

        OverloadTables.Write(console, report);
        if (cancellationToken.IsCancellationRequested) console.MarkupLine("[yellow]Interrupted:[/] the figures are of the part that was run.");
        return report.Promises().All(promise => promise.IsKept) && !cancellationToken.IsCancellationRequested ? ExitCode.Success : ExitCode.Failed;
    }

    private static Option<TimeSpan> Time(string name, string description, TimeSpan value) => new(name)
    {
        Description = $"{description} 500ms, 10s, 2m, at most {LengthLimit.TotalHours:0}h.",
        CustomParser = result => OptionValues.Duration(result, LengthLimit),
        DefaultValueFactory = _ => value,
    };
}
