using System.CommandLine;
using System.Net;
using HeartGrains.LoadTest.Report;
using Spectre.Console;

namespace HeartGrains.LoadTest.Hearts;

/// <summary><c>hearts</c>: gives hearts as fast as the answers come, and checks on request that each was kept.</summary>
public static class HeartsCommand
{
    private static readonly Option<Uri[]> Url = new("--url")
    {
        Description = "Gateways, separated by commas or repeated; connections are spread over them.",
        CustomParser = OptionValues.Urls,
        DefaultValueFactory = _ => [new Uri("http://127.0.0.1:8080")],
    };

    private static readonly Option<TimeSpan> Duration = new("--duration")
    {
        Description = "How long to load (500ms, 10s, 2m, at most 24h); Ctrl-C ends it earlier.",
        CustomParser = result => OptionValues.Duration(result, HeartLoadOptions.DurationLimit),
        DefaultValueFactory = _ => TimeSpan.FromSeconds(10),
    };

    private static readonly Option<int> Connections = OptionValues.Within(
        new Option<int>("--connections") { Description = "Connections, each with one request in flight.", DefaultValueFactory = _ => 64 }, 1, 10_000);

    private static readonly Option<int> Rate = OptionValues.Within(
        new Option<int>("--rate") { Description = "The most requests a second; 0: as fast as the answers come.", DefaultValueFactory = _ => 0 }, 0, 1_000_000);

    private static readonly Option<IPAddress?> From = new("--from")
    {
        Description = "The address of this machine to connect from, such as 127.0.0.2.",
        CustomParser = OptionValues.Address,
    };

    private static readonly Option<int> Targets = OptionValues.Within(
        new Option<int>("--targets") { Description = "How many targets.", DefaultValueFactory = _ => 10_000 }, 1, HeartLoadOptions.TargetsLimit);

    private static readonly Option<long> Users = OptionValues.Within(
        new Option<long>("--users") { Description = "How many users, chosen evenly.", DefaultValueFactory = _ => 5_000_000 }, 1, HeartLoadOptions.UsersLimit);

    private static readonly Option<TargetSkew> Skew = new("--skew")
    {
        Description = "zipf: a few hot targets and a long tail; uniform: all alike.",
        DefaultValueFactory = _ => TargetSkew.Zipf,
    };

    private static readonly Option<int[]> Pids = new("--pids")
    {
        Description = "Processes whose CPU time is reported, each with its children.",
        CustomParser = OptionValues.ProcessIds,
    };

    private static readonly Option<bool> Verify = new("--verify")
    {
        Description = "Use fresh targets, and check afterwards that every acknowledged heart is there and every count is right.",
    };

    private static readonly Option<TimeSpan> Settle = new("--settle")
    {
        Description = "How long --verify waits until all gateways answer.",
        CustomParser = result => OptionValues.Duration(result, TimeSpan.FromHours(1)),
        DefaultValueFactory = _ => TimeSpan.FromSeconds(10),
    };

    private static readonly Option<int?> Seed = new("--seed") { Description = "Chooses targets and users; printed at the end, random when not given." };

    /// <summary>The command, which writes to <paramref name="console"/>.</summary>
    public static Command Create(IAnsiConsole console)
    {
        var command = new Command("hearts", "Gives hearts as fast as the answers come.")
        {
            Url, Duration, Connections, Rate, From, Targets, Users, Skew, Pids, Verify, Settle, Seed,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed, console, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, IAnsiConsole console, CancellationToken cancellationToken)
    {
        var verify = parsed.GetValue(Verify);
        var options = new HeartLoadOptions
        {
            Urls = parsed.GetRequiredValue(Url),
            Duration = parsed.GetValue(Duration),
            Connections = parsed.GetValue(Connections),
            RequestsPerSecond = parsed.GetValue(Rate),
            From = parsed.GetValue(From),
            Targets = parsed.GetValue(Targets),
            Users = parsed.GetValue(Users),
            Skew = parsed.GetValue(Skew),
            ProcessIds = parsed.GetValue(Pids) ?? [],
            KeepHistory = verify,
            Seed = parsed.GetValue(Seed) ?? Random.Shared.Next(),
        };

        var load = await RunDisplay.ShowAsync<HeartLoadProgress, HeartLoadReport>(
            console,
            progress => HeartLoad.RunAsync(options, progress, cancellationToken),
            at => new(at.Elapsed / options.Duration, $"{at.RequestsPerSecond:N0} requests/s, p99 {at.P99.TotalMilliseconds:0.0} ms, {at.Failed:N0} failed"));
        LoadTables.Write(console, load);
        if (load.Succeeded == 0)
        {
            console.MarkupLine("[red]No request succeeded.[/] Is a gateway listening there, and ready?");
            return ExitCode.Failed;
        }
        return load.History is null ? ExitCode.Success : await VerifyAsync(load, parsed.GetValue(Settle), console, cancellationToken);
    }

    private static async Task<int> VerifyAsync(HeartLoadReport load, TimeSpan settle, IAnsiConsole console, CancellationToken cancellationToken)
    {
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            var options = new HeartVerifyOptions { Urls = load.Options.Urls, Settle = settle };
            var check = await RunDisplay.ShowAsync<HeartVerifyProgress, HeartVerifyReport>(
                console,
                progress => HeartVerifier.VerifyAsync(load.History!, options, progress, cancellationToken),
                at => new((double)at.Checked / Math.Max(1, at.Total), $"{at.Checked:N0} of {at.Total:N0} hearts checked"));
            VerifyTables.Write(console, check);
            return check.IsClean ? ExitCode.Success : ExitCode.Failed;
        }
        catch (OperationCanceledException)
        {
            console.MarkupLine("[yellow]Interrupted:[/] the hearts were not checked.");
            return ExitCode.Failed;
        }
    }
}
