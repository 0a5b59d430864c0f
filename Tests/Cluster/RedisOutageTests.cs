using System.Net;
using System.Net.Http.Json;

namespace HeartGrains.Tests.Cluster;

/// <summary>A cluster of its own that is without its Redis. It waits more than it computes, so it runs beside other tests.</summary>
public sealed class RedisOutageTests(RedisOutageCluster cluster) : IClassFixture<RedisOutageCluster>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Membership is kept there and nothing else: what runs goes on, and who wants to join fails and has to try again.</summary>
    [Fact]
    public async Task Redis_GoneForAMinute_TheClusterServesOnAndNoSiloJoinsUntilItIsBack()
    {
        var clients = new[] { Client(0), Client(1) };
        await LocalCluster.UntilAsync(async () => await IsGivenAsync(clients[0]) && await IsGivenAsync(clients[1]), Patience, "no heart is given");
        await cluster.RunAsync("stop", "redis", "1");
        var gone = TimeProvider.System.GetTimestamp();
        var joining = cluster.RunAsync("add", "silo");
        var served = 0;
        while (TimeProvider.System.GetElapsedTime(gone) < TimeSpan.FromSeconds(60) || !joining.IsCompleted)
        {
            foreach (var client in clients)
            {
                using var answer = await GiveAsync(client);
                answer.StatusCode.ShouldBe(HttpStatusCode.Created, await answer.Content.ReadAsStringAsync());
                served++;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{served} hearts given while Redis was gone");
        await Should.ThrowAsync<InvalidOperationException>(joining);
        await cluster.RunAsync("start", "redis", "1");
        await cluster.RunAsync("add", "silo");
        await LocalCluster.UntilAsync(() => IsGivenAsync(clients[0]), Patience, "no heart is given again");
    }

    private HttpClient Client(int gateway) => new() { BaseAddress = cluster.Gateways[gateway], Timeout = TimeSpan.FromSeconds(10) };

    private static Task<HttpResponseMessage> GiveAsync(HttpClient client) =>
        client.PostAsJsonAsync("/api/v1/hearts", new { target_id = $"t{Random.Shared.Next(50)}", user_id = $"{Guid.NewGuid():N}" });

    private static async Task<bool> IsGivenAsync(HttpClient client)
    {
        using var answer = await GiveAsync(client);
        return answer.StatusCode == HttpStatusCode.Created;
    }
}

/// <summary>Two silos and two gateways.</summary>
public sealed class RedisOutageCluster() : LocalCluster(silos: 2, gateways: 2);
