using System.Net;
using System.Text.Json;

namespace HeartGrains.Tests.Gateway;

/// <summary>How hearts are judged by policies of every dimension, over real HTTP. None of the quotas fills while a test runs.</summary>
public sealed class QuotaPolicyTests(QuotaPolicyTests.Server server) : IClassFixture<QuotaPolicyTests.Server>
{
    private const string Policies = """
        { "Name": "hearts", "Dimension": "user", "TokenLimit": 20, "ReplenishmentPeriod": "01:00:00", "SliceTokens": 0 },
        { "Name": "dear", "Dimension": "user", "TokenLimit": 1000, "ReplenishmentPeriod": "01:00:00", "HeartCost": 100 },
        { "Name": "watched", "Dimension": "user", "Algorithm": "sliding_window", "PermitLimit": 3, "Window": "01:00:00", "Shadow": true },
        { "Name": "free", "Dimension": "user", "TokenLimit": 5, "ReplenishmentPeriod": "01:00:00", "HeartCost": 0 },
        { "Name": "few", "Dimension": "campaign", "Algorithm": "leaky_bucket", "Capacity": 4, "LeakPeriod": "01:00:00" },
        { "Name": "popular", "Dimension": "target", "Algorithm": "sliding_window", "PermitLimit": 3, "Window": "01:00:00" }
        """;

    private readonly HttpClient _client = server.Quota.Client;
    private readonly string _user = HeartClient.Fresh("u");

    [Fact]
    public async Task Give_SeveralPolicies_HeadersTellTheTightestByCallsThatStillFit()
    {
        using var first = await _client.GiveAsync(HeartClient.Fresh("t"), _user);
        first.StatusCode.ShouldBe(HttpStatusCode.Created);
        first.Header("RateLimit-Policy").ShouldContain("\"popular\";q=3;w=3600");
        first.Header("RateLimit-Policy").ShouldNotContain("watched");
        first.Header("RateLimit-Policy").ShouldNotContain("free");
        first.Header("RateLimit").ShouldStartWith("\"popular\";r=2;");

        // Of 1,000 tokens 900 are left: nine hearts. Of 20 there are 19.
        using var withdrawn = await _client.WithdrawAsync(HeartClient.Fresh("t"), HeartClient.Fresh("u"));
        withdrawn.StatusCode.ShouldBe(HttpStatusCode.OK);
        withdrawn.Headers.Contains("RateLimit").ShouldBeTrue();
        var standings = await _client.StandingsAsync(_user);
        standings["dear"].GetProperty("remaining").GetInt64().ShouldBe(900);
        standings["hearts"].GetProperty("remaining").GetInt64().ShouldBe(19);
        standings["free"].GetProperty("remaining").GetInt64().ShouldBe(5);
    }

    [Fact]
    public async Task Give_CostOfAHeartSpent_Is429WithThatPolicy()
    {
        for (var heart = 0; heart < 10; heart++) (await _client.GiveAsync(HeartClient.Fresh("t"), _user)).StatusCode.ShouldBe(HttpStatusCode.Created);

        var target = HeartClient.Fresh("t");
        using var refused = await _client.GiveAsync(target, _user);
        (await refused.ShouldBeProblemAsync(429, "quota-exceeded")).GetProperty("violated-policies").EnumerateArray().Select(policy => policy.GetString()).ShouldBe(["dear"]);
        refused.Header("RateLimit").ShouldStartWith("\"dear\";r=0;");
        (await _client.ReadAsync(target).JsonAsync()).GetProperty("count").GetInt64().ShouldBe(0);
        (await _client.RemainingAsync(_user, "hearts")).ShouldBe(10);
    }

    [Fact]
    public async Task Give_TargetSpent_Is429ForEverybodyAndFreeElsewhere()
    {
        var target = HeartClient.Fresh("t");
        for (var user = 0; user < 3; user++) (await _client.GiveAsync(target, HeartClient.Fresh("u"))).StatusCode.ShouldBe(HttpStatusCode.Created);

        using var refused = await _client.GiveAsync(target, _user);
        (await refused.ShouldBeProblemAsync(429, "quota-exceeded")).GetProperty("violated-policies")[0].GetString().ShouldBe("popular");
        refused.Header("RateLimit").ShouldStartWith("\"popular\";r=0;");
        (await _client.RemainingAsync(_user, "hearts")).ShouldBe(20);
        (await _client.GiveAsync(HeartClient.Fresh("t"), _user)).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Give_CampaignSpent_Is429WithTheCampaignAndFreeWithoutIt()
    {
        var campaign = HeartClient.Fresh("c");
        for (var user = 0; user < 4; user++) (await GiveAsync(HeartClient.Fresh("u"), campaign)).StatusCode.ShouldBe(HttpStatusCode.Created);

        using var refused = await GiveAsync(_user, campaign);
        (await refused.ShouldBeProblemAsync(429, "quota-exceeded")).GetProperty("violated-policies")[0].GetString().ShouldBe("few");
        (await GiveAsync(_user, HeartClient.Fresh("c"))).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await _client.GiveAsync(HeartClient.Fresh("t"), _user)).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("c", true)]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123", true)]
    [InlineData("01234567890123456789012345678901234567890123456789012345678901234", false)]
    [InlineData("éééééééééééééééééééééééééééééééé", true)]
    [InlineData("ééééééééééééééééééééééééééééééééé", false)]
    public async Task Give_CampaignOfSomeBytes_IsTakenFrom1To64(string campaign, bool isTaken)
    {
        using var answer = await GiveAsync(_user, campaign);
        if (isTaken)
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.Created);
            return;
        }

        (await answer.ShouldBeProblemAsync(400, "invalid-fields")).GetProperty("errors").TryGetProperty("campaign_id", out _).ShouldBeTrue();
        (await _client.RemainingAsync(_user, "hearts")).ShouldBe(20);
    }

    [Fact]
    public async Task Give_ShadowPolicySpent_PassesAndIsCounted()
    {
        var before = await server.Quota.DecisionsAsync("watched", "shadow_refused");
        for (var heart = 0; heart < 5; heart++)
        {
            using var answer = await _client.GiveAsync(HeartClient.Fresh("t"), _user);
            answer.StatusCode.ShouldBe(HttpStatusCode.Created);
            answer.Header("RateLimit").ShouldNotContain("watched");
        }

        // Other tests of this class are not at work meanwhile, and theirs give fewer hearts.
        (await server.Quota.DecisionsAsync("watched", "shadow_refused") - before).ShouldBe(2);
        var standing = (await _client.StandingsAsync(_user))["watched"];
        standing.GetProperty("remaining").GetInt64().ShouldBe(0);
        standing.GetProperty("shadow").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task Acquire_PolicyWhoseHeartsAreFree_IsJudged()
    {
        (await _client.GiveAsync(HeartClient.Fresh("t"), _user)).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await _client.AcquireAsync(_user, 5)).StatusCode.ShouldBe(HttpStatusCode.OK);

        using var refused = await _client.AcquireAsync(_user, 1);
        (await refused.ShouldBeProblemAsync(429, "quota-exceeded")).GetProperty("violated-policies").EnumerateArray().Select(policy => policy.GetString()).ShouldBe(["free"]);
        (await _client.GiveAsync(HeartClient.Fresh("t"), _user)).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Give_AddressPolicy_CountsEachAddressByItself()
    {
        await using var gateway = await QuotaServer.StartAsync(
            """
            { "Name": "user", "Dimension": "user" },
            { "Name": "address", "Dimension": "address", "Algorithm": "sliding_window", "PermitLimit": 2, "Window": "01:00:00" }
            """);
        var (first, second) = (gateway.From(IPAddress.Parse("127.0.0.1")), gateway.From(IPAddress.Parse("127.0.0.2")));
        for (var heart = 0; heart < 2; heart++) (await GiveFreshAsync(first)).StatusCode.ShouldBe(HttpStatusCode.Created);

        using var refused = await GiveFreshAsync(first);
        (await refused.ShouldBeProblemAsync(429, "quota-exceeded")).GetProperty("violated-policies")[0].GetString().ShouldBe("address");
        (await first.RemainingAsync("anybody", "address")).ShouldBe(0);
        (await second.RemainingAsync("anybody", "address")).ShouldBe(2);
        (await GiveFreshAsync(second)).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    private static Task<HttpResponseMessage> GiveFreshAsync(HttpClient client) => client.GiveAsync(HeartClient.Fresh("t"), HeartClient.Fresh("u"));

    private Task<HttpResponseMessage> GiveAsync(string user, string campaign) =>
        _client.PostJsonAsync(HeartClient.Hearts, JsonSerializer.Serialize(new { target_id = HeartClient.Fresh("t"), user_id = user, campaign_id = campaign }));

    public sealed class Server : IAsyncLifetime
    {
        internal QuotaServer Quota { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Quota = await QuotaServer.StartAsync(Policies);

        public ValueTask DisposeAsync() => Quota.DisposeAsync();
    }
}
