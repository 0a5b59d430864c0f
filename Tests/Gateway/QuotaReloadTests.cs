using System.Net;
using HeartGrains.Tests.Cluster;

namespace HeartGrains.Tests.Gateway;

/// <summary>Policies change while the gateway runs, when its settings file does.</summary>
public sealed class QuotaReloadTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly string _user = HeartClient.Fresh("u");

    [Fact]
    public async Task Settings_FileRewritten_AreFollowedAndWhatWasSpentStaysSpent()
    {
        await using var server = await QuotaServer.StartAsync(User(60));
        (await server.Client.AcquireAsync(_user, 20)).StatusCode.ShouldBe(HttpStatusCode.OK);
        using (var refused = await server.Client.AcquireAsync(_user, 90)) await refused.ShouldBeProblemAsync(400, "invalid-fields");

        server.Write(User(100) + """, { "Name": "other", "Dimension": "user", "TokenLimit": 95 }""");
        await LimitAsync(server, 100);
        (await server.Client.StandingsAsync(_user)).Keys.ShouldBe(["user", "other"]);
        (await server.Client.RemainingAsync(_user, "user")).ShouldBeLessThanOrEqualTo(80);

        server.Write(User(10));
        await LimitAsync(server, 10);
        (await server.Client.StandingsAsync(_user)).Keys.ShouldBe(["user"]);
        (await server.Client.AcquireAsync(_user, 1)).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        (await server.Client.AcquireAsync(HeartClient.Fresh("u"), 10)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Settings_BadFileAndBadValue_ChangeNothingAndTheNextGoodOneIsFollowed()
    {
        await using var server = await QuotaServer.StartAsync(User(60));
        var before = server.Log.Count(Reread);
        server.WriteFile("{ \"HeartGrains\": ");
        await LocalCluster.UntilAsync(() => Task.FromResult(server.Log.Count(Reread) > before), Patience, "the bad file is not read");
        await UnchangedAsync(server);

        server.Write(User(0));
        await LocalCluster.UntilAsync(() => Task.FromResult(server.Log.Any(Refusal)), Patience, "the bad value is not told");
        server.Log.First(Refusal).ShouldContain("HeartGrains:RateLimits:Policies:0:TokenLimit");
        await UnchangedAsync(server);

        server.Write(User(40));
        await LimitAsync(server, 40);

        static bool Refusal(string line) => line.Contains("stay as they were", StringComparison.Ordinal);
        static bool Reread(string line) => line.Contains("were read again", StringComparison.Ordinal);
    }

    private async Task UnchangedAsync(QuotaServer server)
    {
        // The gateway follows when it renews its seat, and the grains, which answer the second call, at once.
        (await server.Client.StandingsAsync(_user))["user"].GetProperty("limit").GetInt64().ShouldBe(60);
        (await server.Client.AcquireAsync(HeartClient.Fresh("u"), 60)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private Task LimitAsync(QuotaServer server, long limit) => LocalCluster.UntilAsync(
        async () => (await server.Client.StandingsAsync(_user))["user"].GetProperty("limit").GetInt64() == limit, Patience, $"the limit is not {limit}");

    private static string User(int limit) => $$"""{ "Name": "user", "Dimension": "user", "TokenLimit": {{limit}}, "ReplenishmentPeriod": "01:00:00" }""";
}
