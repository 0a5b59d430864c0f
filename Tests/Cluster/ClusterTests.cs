using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace HeartGrains.Tests.Cluster;

/// <summary>The real cluster in calm weather.</summary>
[Collection(nameof(ClusterFixture))]
public sealed class ClusterTests(ClusterFixture cluster)
{
    [Fact]
    public async Task Heart_GivenThroughOneGateway_IsSeenThroughTheOther()
    {
        var target = $"https://example.org/{Guid.NewGuid()}?a=1#b";
        using var first = Client(0);
        using var second = Client(1);

        var given = await GiveAsync(first, target, "ann");
        given.StatusCode.ShouldBe(HttpStatusCode.Created);
        var repeat = await GiveAsync(second, target, "ann");
        repeat.StatusCode.ShouldBe(HttpStatusCode.OK);
        var (a, b) = (await given.Content.ReadFromJsonAsync<JsonElement>(), await repeat.Content.ReadFromJsonAsync<JsonElement>());
        b.GetProperty("id").GetString().ShouldBe(a.GetProperty("id").GetString());
        b.GetProperty("timestamp").GetString().ShouldBe(a.GetProperty("timestamp").GetString());

        var seen = await second.GetFromJsonAsync<JsonElement>($"/api/v1/hearts?target_id={Uri.EscapeDataString(target)}&user_id=ann");
        seen.GetProperty("count").GetInt64().ShouldBe(1);
        seen.GetProperty("hearted").GetBoolean().ShouldBeTrue();
        await LocalCluster.UntilAsync(
            async () => (await second.GetStringAsync($"/api/v1/hearts/users?target_id={Uri.EscapeDataString(target)}")).Contains("\"ann\"", StringComparison.Ordinal),
            TimeSpan.FromSeconds(5), "the user is not listed");
    }

    [Fact]
    public async Task Quota_CallsSpreadOverBothGateways_AdmitsNoMoreThanThePolicy()
    {
        var user = $"greedy-{Guid.NewGuid():N}";
        HttpClient[] gateways = [Client(0), Client(1)];
        var admitted = 0;
        var refused = 0;
        var started = TimeProvider.System.GetTimestamp();
        await Parallel.ForEachAsync(Enumerable.Range(0, 200), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            using var answer = await JudgedAsync(() => GiveAsync(gateways[i % 2], $"t{i}", user));
            if (answer.IsSuccessStatusCode) Interlocked.Increment(ref admitted);
            if (answer.StatusCode != HttpStatusCode.TooManyRequests) return;
            Interlocked.Increment(ref refused);
            answer.Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(1));
            answer.Headers.Contains("RateLimit-Policy").ShouldBeTrue();
            answer.Headers.Contains("RateLimit").ShouldBeTrue();
        });

        var window = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        admitted.ShouldBeLessThanOrEqualTo((int)(60 + window));
        admitted.ShouldBeGreaterThanOrEqualTo(50);
        refused.ShouldBe(200 - admitted);
    }

    [Theory]
    [InlineData("silo")]
    [InlineData("gateway")]
    public async Task Operations_EveryProgram_AnswersHealthAndMetrics(string role)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        foreach (var member in await cluster.MembersAsync(role))
        {
            (await client.GetAsync(new Uri(member.Url, "/health/live"))).StatusCode.ShouldBe(HttpStatusCode.OK);
            (await client.GetAsync(new Uri(member.Url, "/health/ready"))).StatusCode.ShouldBe(HttpStatusCode.OK);
            using var head = new HttpRequestMessage(HttpMethod.Head, new Uri(member.Url, "/health/ready"));
            (await client.SendAsync(head)).StatusCode.ShouldBe(HttpStatusCode.OK);
            (await client.GetStringAsync(new Uri(member.Url, "/metrics"))).ShouldContain("heartgrains_");
        }
    }

    /// <summary>A quota that is asked for the first time may be too slow to judge; the call is then made again.</summary>
    private static async Task<HttpResponseMessage> JudgedAsync(Func<Task<HttpResponseMessage>> call)
    {
        while (true)
        {
            var answer = await call();
            if (answer.StatusCode != HttpStatusCode.ServiceUnavailable) return answer;
            answer.Dispose();
        }
    }

    private HttpClient Client(int gateway) => new() { BaseAddress = cluster.Gateways[gateway], Timeout = TimeSpan.FromSeconds(10) };

    private static Task<HttpResponseMessage> GiveAsync(HttpClient client, string target, string user) =>
        client.PostAsJsonAsync("/api/v1/hearts", new { target_id = target, user_id = user });
}
