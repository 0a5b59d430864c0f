using System.Net;
using System.Net.Http.Json;

namespace HeartGrains.Tests.Cluster;

/// <summary>A cluster of its own that loses whole roles.</summary>
public sealed class OutageTests(SmallCluster cluster) : IClassFixture<SmallCluster>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Heart_NoSiloReachable_RefusedWithinASecondAndServedAgainWithoutARestart()
    {
        using var client = await ClientAsync();
        await KillSilosAsync();

        // From the moment the gateway has noticed, every call is refused at once.
        await LocalCluster.UntilAsync(async () => (await GiveAsync(client)).StatusCode == HttpStatusCode.ServiceUnavailable, Patience, "no 503");
        for (var i = 0; i < 5; i++)
        {
            var started = TimeProvider.System.GetTimestamp();
            using var refused = await GiveAsync(client);
            refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            refused.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
            refused.Headers.RetryAfter.ShouldNotBeNull();
            TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(1));
        }

        await cluster.RunAsync("start", "silo", "1");
        await LocalCluster.UntilAsync(async () => (await GiveAsync(client)).IsSuccessStatusCode, Patience, "no recovery");
    }

    /// <summary>Who runs serves on; when another has formed a cluster of its own, it leaves the field to it.</summary>
    [Fact]
    public async Task Membership_Wiped_IsServedOnUntilASiloJoinsAndTheOldOneStopsItself()
    {
        using var client = await ClientAsync();
        await LocalCluster.UntilAsync(async () => (await GiveAsync(client)).IsSuccessStatusCode, Patience, "no heart is given");
        var silo = (await cluster.MembersAsync("silo")).Single();
        await cluster.WipeRedisAsync();
        var wiped = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(wiped) < TimeSpan.FromSeconds(12))
        {
            using var answer = await GiveAsync(client);
            answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }

        await cluster.RunAsync("add", "silo");
        await LocalCluster.UntilAsync(
            async () => (await cluster.MembersAsync("silo")).All(member => member.ProcessId != silo.ProcessId), Patience, "the silo lives on");
        await LocalCluster.UntilAsync(async () => (await GiveAsync(client)).IsSuccessStatusCode, Patience, "no recovery");
        await KillSilosAsync();
        await cluster.RunAsync("start", "silo", "1");
        await LocalCluster.UntilAsync(async () => (await GiveAsync(client)).IsSuccessStatusCode, Patience, "no recovery");
    }

    /// <summary>Nobody is left to vote the dead silos out, so the new one has to find them dead by itself.</summary>
    [Fact]
    public async Task Heart_AllSilosKilledAndOneStarted_RefusedWithinASecondUntilServedWithinThirty()
    {
        using var client = await ClientAsync();
        await cluster.RunAsync("add", "silo");
        await KillSilosAsync();
        await LocalCluster.UntilAsync(async () => (await GiveAsync(client)).StatusCode == HttpStatusCode.ServiceUnavailable, Patience, "no 503");

        var killed = TimeProvider.System.GetTimestamp();
        var start = cluster.RunAsync("start", "silo", "1");
        while (true)
        {
            var asked = TimeProvider.System.GetTimestamp();
            using var answer = await GiveAsync(client);
            if (answer.IsSuccessStatusCode) break;
            answer.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            TimeProvider.System.GetElapsedTime(asked).ShouldBeLessThan(TimeSpan.FromSeconds(1));
            TimeProvider.System.GetElapsedTime(killed).ShouldBeLessThan(TimeSpan.FromSeconds(30));
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }

        await start;
    }

    // Whichever they are: a test before this one may have added silos.
    private async Task KillSilosAsync()
    {
        foreach (var silo in await cluster.MembersAsync("silo")) await cluster.RunAsync("kill", "silo", $"{silo.Number}");
    }

    private async Task<HttpClient> ClientAsync() =>
        new() { BaseAddress = (await cluster.MembersAsync("gateway"))[0].Url, Timeout = TimeSpan.FromSeconds(10) };

    private static Task<HttpResponseMessage> GiveAsync(HttpClient client) =>
        client.PostAsJsonAsync("/api/v1/hearts", new { target_id = "t", user_id = Guid.NewGuid().ToString() });
}

/// <summary>One silo and one gateway.</summary>
public sealed class SmallCluster() : LocalCluster(silos: 1, gateways: 1);
