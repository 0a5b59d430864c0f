using HeartGrains.LoadTest.Hearts;
using HeartGrains.LoadTest.Report;

namespace HeartGrains.Tests.Cluster;

/// <summary>A load during which something breaks, and the check of every heart afterwards.</summary>
public abstract class FaultedLoad(LocalCluster cluster)
{
    /// <summary>How long the cluster may take to come to rest.</summary>
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Until what is hot is compiled, also where the last test restarted a silo: on two cores that alone delays the probes by which silos find each other dead.</summary>
    private const int WarmUpSeconds = 4;

    /// <summary>Processes that have been under load for so long.</summary>
    private static readonly HashSet<int> Warm = [];

    /// <summary>Loads all gateways, injects the fault after three seconds, and verifies every heart through the API.</summary>
    protected async Task<HeartLoadReport> LoadWhileAsync(int seconds, Func<Task> fault)
    {
        await WarmUpAsync();
        var options = Options(seconds);
        var load = HeartLoad.RunAsync(options);
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System);
        await fault();
        var report = await load;

        var verdict = await HeartVerifier.VerifyAsync(report.History!, new HeartVerifyOptions { Urls = cluster.Gateways, Settle = Patience });
        verdict.Acknowledged.ShouldBeGreaterThan(1000);
        verdict.IsClean.ShouldBeTrue(string.Join('\n', verdict.Violations));
        await AssertLogIsWholeAsync();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{Describe(report)}; longest outage of a target {report.Outages.Longest}; seed {options.Seed}; unknown {verdict.Unknown}");
        return report;
    }

    /// <summary>Unless all that run are warm from a test before.</summary>
    private async Task WarmUpAsync()
    {
        int[] running = [.. (await cluster.MembersAsync("silo")).Concat(await cluster.MembersAsync("gateway")).Select(static member => member.ProcessId)];
        if (running.All(Warm.Contains)) return;
        await HeartLoad.RunAsync(Options(WarmUpSeconds));
        Warm.UnionWith(running);
    }

    /// <summary>All targets alike: each is asked five times a second, so that an outage of one is seen, and seen to end. Half of what two cores can do: silos must find time to look after each other.</summary>
    private HeartLoadOptions Options(int seconds) => new()
    {
        Skew = TargetSkew.Uniform,
        Urls = cluster.Gateways,
        Duration = TimeSpan.FromSeconds(seconds),
        Connections = 32,
        RequestsPerSecond = 1500,
        Targets = 300,
        Users = 100_000,
        KeepHistory = true,
    };

    /// <summary>By SQL: versions run 1, 2, 3 … per target, and given and withdrawn alternate per heart.</summary>
    private async Task AssertLogIsWholeAsync()
    {
        var broken = await cluster.RunAsync("psql", "-At", "-c", """
            select (select count(*) from (select target from heart_event group by target having count(*) <> max(version) or min(version) <> 1) t)
                 + (select count(*) from (select heart, kind, lag(kind) over (partition by heart order by version) as before from heart_event) e
                     where kind = coalesce(before, 2))
            """);
        broken.Trim().ShouldBe("0");
    }

    protected static string Describe(HeartLoadReport report) =>
        string.Join(", ", report.Answers.Select(answer => $"{answer.Key}: {answer.Value}"))
        + $"; not connected {report.NotConnected}, broken {report.Broken}, timed out {report.TimedOut}";
}
