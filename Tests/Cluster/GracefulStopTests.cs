namespace HeartGrains.Tests.Cluster;

/// <summary>A fresh cluster that loses a silo politely.</summary>
[Collection(nameof(AloneCollection))]
public sealed class GracefulStopTests(FreshCluster cluster) : FaultedLoad(cluster), IClassFixture<FreshCluster>
{
    private readonly LocalCluster _cluster = cluster;

    [Fact]
    public async Task Load_SiloStoppedGracefully_NothingIsLostAndItLeaves()
    {
        var silo = (await _cluster.MembersAsync("silo")).Single(member => member.Number == 1);
        var report = await LoadWhileAsync(seconds: 12, async () => await _cluster.RunAsync("stop", "silo", "1"));

        (await _cluster.MembersAsync("silo")).ShouldNotContain(member => member.ProcessId == silo.ProcessId);
        report.Outages.StillFailing.ShouldBe(0, _cluster.Complaints());
        report.Outages.Longest.ShouldBeLessThan(TimeSpan.FromSeconds(6));
        await _cluster.RunAsync("start", "silo", "1");
    }
}

/// <summary>Three silos and one gateway for one test class.</summary>
public sealed class FreshCluster() : LocalCluster(silos: 3, gateways: 1);
