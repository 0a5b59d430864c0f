namespace HeartGrains.Tests.Cluster;

/// <summary>
/// The real cluster under load while something breaks: afterwards nothing acknowledged is lost, nothing refused is stored and no count is off.
/// </summary>
[Collection(nameof(ClusterFixture))]
public sealed class FaultTests(ClusterFixture cluster) : FaultedLoad(cluster)
{
    private readonly LocalCluster _cluster = cluster;

    [Fact]
    public async Task Load_SiloKilled_ServesElsewhereWithinSixSecondsAndLosesNothing()
    {
        var report = await LoadWhileAsync(seconds: 14, async () =>
        {
            await _cluster.RunAsync("kill", "silo", "2");
        });

        report.Outages.StillFailing.ShouldBe(0, _cluster.Complaints());
        report.Outages.Longest.ShouldBeLessThan(TimeSpan.FromSeconds(6));
        await _cluster.RunAsync("start", "silo", "2");
    }

    [Fact]
    public async Task Load_SiloHeldForTwentySecondsAndResumed_ServesElsewhereWithinFifteenAndTheZombieBreaksNothing()
    {
        var silo = (await _cluster.MembersAsync("silo")).Single(member => member.Number == 3);
        var report = await LoadWhileAsync(seconds: 32, async () =>
        {
            await LocalCluster.SignalAsync(silo.ProcessId, "STOP");
            await Task.Delay(TimeSpan.FromSeconds(20), TimeProvider.System);
            await LocalCluster.SignalAsync(silo.ProcessId, "CONT");
        });

        report.Outages.StillFailing.ShouldBe(0, _cluster.Complaints());
        report.Outages.Longest.ShouldBeLessThan(TimeSpan.FromSeconds(15));
        await LocalCluster.UntilAsync(
            async () => (await _cluster.MembersAsync("silo")).All(member => member.ProcessId != silo.ProcessId), Patience, "the zombie still lives");
        await _cluster.RunAsync("start", "silo", "3");
    }

    [Fact]
    public async Task Load_PostgresRestarted_LosesNothing()
    {
        var report = await LoadWhileAsync(seconds: 15, async () =>
        {
            await _cluster.RunAsync("stop", "postgres");
            await _cluster.RunAsync("start", "postgres");
        });

        report.Outages.StillFailing.ShouldBe(0, _cluster.Complaints());
    }

    [Fact]
    public async Task Load_SiloAdded_NoRequestFails()
    {
        var before = await _cluster.MembersAsync("silo");
        var report = await LoadWhileAsync(seconds: 15, async () => await _cluster.RunAsync("add", "silo"));

        (await _cluster.MembersAsync("silo")).Count.ShouldBe(before.Count + 1);
        report.Answered.ShouldBe(report.Succeeded, $"{Describe(report)}\n{_cluster.Complaints()}");
        (report.NotConnected + report.Broken + report.TimedOut).ShouldBe(0);
    }
}
