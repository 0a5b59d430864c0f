using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using HeartGrains.Tests.Identity;

namespace HeartGrains.Tests.Gateway;

/// <summary>The quota's own routes over real HTTP, with a quota that hardly fills while a test runs.</summary>
public sealed class QuotaApiTests(QuotaApiTests.Server server) : IClassFixture<QuotaApiTests.Server>
{
    private const string OperatorKey = "an operator's key of tests";

    private const string Policies = """
        { "Name": "user", "Dimension": "user", "TokenLimit": 60, "ReplenishmentPeriod": "00:10:00" },
        { "Name": "day", "Dimension": "user", "Algorithm": "sliding_window", "PermitLimit": 70, "Window": "1.00:00:00" },
        { "Name": "campaign", "Dimension": "campaign", "Algorithm": "leaky_bucket", "Capacity": 90, "LeakPeriod": "00:10:00" },
        { "Name": "target", "Dimension": "target", "TokenLimit": 80, "ReplenishmentPeriod": "00:10:00" }
        """;

    private readonly HttpClient _client = server.Quota.Client;
    private readonly string _user = HeartClient.Fresh("u");

    [Fact]
    public async Task Acquire_TokensThere_TakesThemAndTellsWhatIsLeft()
    {
        using var answer = await _client.AcquireAsync(_user, 5);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Header("RateLimit-Policy").ShouldBe("""
            "user";q=60;w=36000, "day";q=70;w=86400
            """);
        answer.Header("RateLimit").ShouldBe("\"user\";r=55;t=36000");
        (await answer.Content.ReadAsStringAsync()).ShouldBe($$"""{"user_id":"{{_user}}","tokens":5,"policy":"user","remaining":55,"reset":36000}""");
        (await _client.RemainingAsync(_user, "user")).ShouldBe(55);
        (await _client.RemainingAsync(_user, "day")).ShouldBe(65);
    }

    [Fact]
    public async Task Acquire_OneAfterTheOther_RemainingCountsDownWhoeverDecides()
    {
        for (var left = 59; left >= 20; left--)
        {
            using var answer = await _client.AcquireAsync(_user, 1);
            answer.Header("RateLimit").ShouldStartWith($"\"user\";r={left};");
        }
    }

    [Fact]
    public async Task Acquire_MoreThanIsLeft_TakesNothingAndNamesThePolicy()
    {
        (await _client.AcquireAsync(_user, 50)).StatusCode.ShouldBe(HttpStatusCode.OK);

        using var refused = await _client.AcquireAsync(_user, 11);
        var problem = await refused.ShouldBeProblemAsync(429, "quota-exceeded");
        problem.GetProperty("violated-policies").EnumerateArray().Select(policy => policy.GetString()).ShouldBe(["user"]);
        refused.Headers.RetryAfter!.Delta!.Value.ShouldBeInRange(TimeSpan.FromMinutes(9), TimeSpan.FromMinutes(11));
        refused.Header("RateLimit").ShouldStartWith("\"user\";r=10;");

        (await _client.RemainingAsync(_user, "user")).ShouldBe(10);
        (await _client.RemainingAsync(_user, "day")).ShouldBe(20);
        (await _client.AcquireAsync(_user, 10)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("\"tokens\":0")]
    [InlineData("\"tokens\":-1")]
    [InlineData("\"tokens\":1.5")]
    [InlineData("\"tokens\":1e1")]
    [InlineData("\"tokens\":\"5\"")]
    [InlineData("\"tokens\":9007199254740993")]
    [InlineData("\"tokens\":18446744073709551616")]
    [InlineData("\"tokens\":null")]
    [InlineData("\"tokens\":[5]")]
    [InlineData("\"tokens\":1,\"tokens\":2")]
    [InlineData("\"target_id\":\"t\"", "target_id")]
    [InlineData("\"Tokens\":5", "Tokens")]
    public async Task Acquire_TokensNotAWholeNumberInBoundsGivenOnce_Is400AndTakesNothing(string field, string wrong = "tokens")
    {
        using var answer = await _client.PostJsonAsync(QuotaServer.Acquire, $$"""{"user_id":"{{_user}}",{{field}}}""");
        var problem = await answer.ShouldBeProblemAsync(400, "invalid-fields");
        problem.GetProperty("errors").TryGetProperty(wrong, out _).ShouldBeTrue(problem.ToString());
        answer.Headers.Contains("RateLimit").ShouldBeFalse();
        (await _client.RemainingAsync(_user, "user")).ShouldBe(60);
    }

    [Theory]
    [InlineData("""{"tokens":1}""", "user_id")]
    [InlineData("""{"user_id":"u"}""", "tokens")]
    [InlineData("""{"user_id":"","tokens":1}""", "user_id")]
    public async Task Acquire_FieldMissing_Is400(string body, string wrong)
    {
        using var answer = await _client.PostJsonAsync(QuotaServer.Acquire, body);
        (await answer.ShouldBeProblemAsync(400, "invalid-fields")).GetProperty("errors").TryGetProperty(wrong, out _).ShouldBeTrue();
    }

    [Theory]
    [InlineData(61)]
    [InlineData(9007199254740992)]
    public async Task Acquire_MoreThanThePolicyHolds_Is400AndNamesIt(long tokens)
    {
        using var answer = await _client.AcquireAsync(_user, tokens);
        var problem = await answer.ShouldBeProblemAsync(400, "invalid-fields");
        problem.GetProperty("errors").GetProperty("tokens")[0].GetString().ShouldBe("must be at most 60, the limit of the policy user");
        (await _client.AcquireAsync(_user, 60)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Acquire_CampaignSpent_Is429ForAllItsUsersAndTakesNothingOfTheirs()
    {
        var campaign = HeartClient.Fresh("c");
        (await _client.AcquireAsync(HeartClient.Fresh("u"), 50, campaign)).StatusCode.ShouldBe(HttpStatusCode.OK);

        using var refused = await _client.AcquireAsync(_user, 41, campaign);
        (await refused.ShouldBeProblemAsync(429, "quota-exceeded")).GetProperty("violated-policies")[0].GetString().ShouldBe("campaign");
        (await _client.RemainingAsync(_user, "user")).ShouldBe(60);
        (await _client.AcquireAsync(_user, 41)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Read_Repeated_ShowsThePoliciesThatApplyAndSpendsNothing()
    {
        for (var call = 0; call < 3; call++)
        {
            var standings = await _client.StandingsAsync(_user);
            standings.Keys.ShouldBe(["user", "day"]);
            standings["user"].ToString().ShouldBe(
                """{"name":"user","dimension":"user","algorithm":"token_bucket","limit":60,"window":36000,"remaining":60,"reset":0,"shadow":false}""");
            standings["day"].ToString().ShouldBe(
                """{"name":"day","dimension":"user","algorithm":"sliding_window","limit":70,"window":86400,"remaining":70,"reset":0,"shadow":false}""");
        }

        (await _client.StandingsAsync(_user, $"&target_id={_user}&campaign_id={_user}")).Keys.ShouldBe(["user", "day", "target", "campaign"]);
    }

    [Theory]
    [InlineData("", "user_id")]
    [InlineData("?user_id=u&user_id=v", "user_id")]
    [InlineData("?user_id=u&limit=1", "limit")]
    [InlineData("?user_id=u&campaign_id=", "campaign_id")]
    public async Task Read_QueryOutOfBounds_Is400(string query, string wrong)
    {
        using var answer = await _client.GetAsync("/api/v1/quota" + query);
        (await answer.ShouldBeProblemAsync(400, "invalid-query")).GetProperty("errors").TryGetProperty(wrong, out _).ShouldBeTrue();
    }

    [Fact]
    public async Task Head_User_AnswersWithoutABody()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, $"/api/v1/quota?user_id={_user}");
        using var answer = await _client.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        (await answer.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Reset_WithTheOperatorsKey_MakesTheUserWholeAgain()
    {
        (await _client.AcquireAsync(_user, 60)).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _client.AcquireAsync(_user, 1)).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);

        using var answer = await ResetAsync(_client, _user, OperatorKey);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Content.ReadAsStringAsync()).ShouldBe($$"""{"user_id":"{{_user}}","reset":true}""");
        (await _client.RemainingAsync(_user, "user")).ShouldBe(60);
        (await _client.RemainingAsync(_user, "day")).ShouldBe(70);
        (await _client.AcquireAsync(_user, 60)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData(null, "credentials-required")]
    [InlineData("another key, but as long", "invalid-token")]
    [InlineData("", "invalid-token")]
    public async Task Reset_WithoutTheKey_Is401AndChangesNothing(string? key, string code)
    {
        (await _client.AcquireAsync(_user, 60)).StatusCode.ShouldBe(HttpStatusCode.OK);
        using var answer = await ResetAsync(_client, _user, key);
        await answer.ShouldBeProblemAsync(401, code);
        answer.Headers.WwwAuthenticate.ToString().ShouldStartWith("Bearer");
        (await _client.RemainingAsync(_user, "user")).ShouldBe(0);
    }

    [Fact]
    public async Task Reset_NoKeyConfigured_Is401()
    {
        await using var closed = await QuotaServer.StartAsync(Policies);
        using var answer = await ResetAsync(closed.Client, _user, OperatorKey);
        await answer.ShouldBeProblemAsync(401, "invalid-token");
    }

    private static async Task<HttpResponseMessage> ResetAsync(HttpClient client, string user, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Delete, $"/api/v1/quota?user_id={user}");
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await client.SendAsync(request);
    }

    public sealed class Server : IAsyncLifetime
    {
        internal QuotaServer Quota { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Quota = await QuotaServer.StartAsync(Policies, TestKeys.Switches(OperatorKey));

        public ValueTask DisposeAsync() => Quota.DisposeAsync();
    }
}
