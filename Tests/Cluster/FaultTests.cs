using HeartGrains.LoadTest.Hearts;
using HeartGrains.LoadTest.Report;

namespace HeartGrains.Tests.Cluster;

/// <summary>
/// The real cluster under load while something breaks: afterwards nothing acknowledged is lost, nothing refused is stored and no count is off.
/// </summary>
[Collection(nameof(ClusterFixture))]
public sealed class FaultTests(ClusterFixture cluster)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Load_SiloKilled_ServesElsewhereWithinSixSecondsAndLosesNothing()
    {
        var report = await LoadWhileAsync(seconds: 14, async () =>
        {
            await cluster.RunAsync("kill", "silo", "2");
        });

        report.Outages.StillFailing.ShouldBe(0);
        report.Outages.Longest.ShouldBeLessThan(TimeSpan.FromSeconds(6));
        await cluster.RunAsync("start", "silo", "2");
    }

    [Fact]
    public async Task Load_SiloHeldForTwentySecondsAndResumed_ServesElsewhereWithinFifteenAndTheZombieBreaksNothing()
    {
        var silo = (await cluster.MembersAsync("silo")).Single(member => member.Number == 3);
        var report = await LoadWhileAsync(seconds: 32, async () =>
        {
            await LocalCluster.SignalAsync(silo.ProcessId, "STOP");
            await Task.Delay(TimeSpan.FromSeconds(20), TimeProvider.System);
            await LocalCluster.SignalAsync(silo.ProcessId, "CONT");
        });

        report.Outages.StillFailing.ShouldBe(0);
        report.Outages.Longest.ShouldBeLessThan(TimeSpan.FromSeconds(15));
        await LocalCluster.UntilAsync(
            async () => (await cluster.MembersAsync("silo")).All(member => member.ProcessId != silo.ProcessId), Patience, "the zombie still lives");
        await cluster.RunAsync("start", "silo", "3");
    }

    [Fact]
    public async Task Load_PostgresRestarted_LosesNothing()
    {
        var report = await LoadWhileAsync(seconds: 15, async () =>
        {
            await cluster.RunAsync("stop", "postgres");
            await cluster.RunAsync("start", "postgres");
        });

        report.Outages.StillFailing.ShouldBe(0);
    }

    [Fact]
    public async Task Load_SiloAdded_NoRequestFails()
    {
        var before = await cluster.MembersAsync("silo");
        var report = await LoadWhileAsync(seconds: 15, async () => await cluster.RunAsync("add", "silo"));

        (await cluster.MembersAsync("silo")).Count.ShouldBe(before.Count + 1);
        report.Answered.ShouldBe(report.Succeeded, Describe(report));
        (report.NotConnected + report.Broken + report.TimedOut).ShouldBe(0);
    }

    [Fact]
    public async Task Load_SiloStoppedGracefully_NothingIsLostAndItLeaves()
    {
        var silo = (await cluster.MembersAsync("silo")).Single(member => member.Number == 1);
        var report = await LoadWhileAsync(seconds: 12, async () => await cluster.RunAsync("stop", "silo", "1"));

        (await cluster.MembersAsync("silo")).ShouldNotContain(member => member.ProcessId == silo.ProcessId);
        report.Outages.StillFailing.ShouldBe(0);
        report.Outages.Longest.ShouldBeLessThan(TimeSpan.FromSeconds(6));
        await cluster.RunAsync("start", "silo", "1");
    }

    /// <summary>Loads both gateways, injects the fault after three seconds, and verifies every heart through the API.</summary>
    private async Task<HeartLoadReport> LoadWhileAsync(int seconds, Func<Task> fault)
    {
        var options = new HeartLoadOptions
        {
            Urls = cluster.Gateways,
            Duration = TimeSpan.FromSeconds(seconds),
            Connections = 32,
            Targets = 300,
            Users = 100_000,
            KeepHistory = true,
        };
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

    private static string Describe(HeartLoadReport report) =>
        string.Join(", ", report.Answers.Select(answer => $"{answer.Key}: {answer.Value}"))
        + $"; not connected {report.NotConnected}, broken {report.Broken}, timed out {report.TimedOut}";
}
