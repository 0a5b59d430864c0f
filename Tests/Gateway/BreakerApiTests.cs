using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using HeartGrains.Tests.Identity;

namespace HeartGrains.Tests.Gateway;

/// <summary>The operator's hand on breakers, over real HTTP.</summary>
public sealed class BreakerApiTests : IAsyncLifetime
{
    private readonly OperatedGateway _gateway = new();

    private HttpClient Client => _gateway.Server.Client;

    public ValueTask InitializeAsync() => _gateway.InitializeAsync();

    public ValueTask DisposeAsync() => _gateway.DisposeAsync();

    [Fact]
    public async Task Get_Breakers_ShowsEachOfThisProcess()
    {
        await Client.GiveAsync(HeartClient.Fresh("t"), "u");
        await Client.ReadAsync(HeartClient.Fresh("t"));
        using var answer = await Client.GetAsync(OperatedGateway.Breakers);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        var breakers = (await answer.JsonAsync()).GetProperty("breakers").EnumerateArray().ToDictionary(breaker => breaker.GetProperty("name").GetString()!);
        breakers.Keys.Order().ShouldBe(["hearts", "ledger", "quota"]);
        var hearts = breakers["hearts"];
        hearts.GetProperty("state").GetString().ShouldBe("closed");
        hearts.GetProperty("calls").GetInt32().ShouldBeGreaterThan(0);
        hearts.GetProperty("failure_rate").GetDouble().ShouldBe(0);
        hearts.GetProperty("health").GetDouble().ShouldBe(1);
        hearts.GetProperty("degraded").GetBoolean().ShouldBeFalse();
        hearts.GetProperty("reason").ValueKind.ShouldBe(JsonValueKind.Null);
        hearts.GetProperty("next_attempt_seconds").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task Post_ForcedOpen_RefusesUntilTheOperatorLetsGo()
    {
        var target = HeartClient.Fresh("t");
        using var forced = await _gateway.ForceAsync("hearts", """{"state":"forced_open","for":"10m","reason":"moving house"}""");
        forced.StatusCode.ShouldBe(HttpStatusCode.OK);
        var told = await forced.JsonAsync();
        told.GetProperty("reaches").GetString().ShouldBe("cluster");
        _gateway.Server.Log.Lines.ShouldContain(static line => line.Contains("BreakerForced") && line.Contains("moving house"));
        (told.GetProperty("until").GetDateTimeOffset() - TimeProvider.System.GetUtcNow()).ShouldBeInRange(TimeSpan.FromMinutes(9), TimeSpan.FromMinutes(10));

        using var refused = await Client.GiveAsync(target, "u");
        await refused.ShouldBeProblemAsync(503, "temporary-reduced-capacity");
        refused.Headers.RetryAfter!.Delta!.Value.ShouldBeInRange(TimeSpan.FromMinutes(9), TimeSpan.FromMinutes(10));
        var shown = await _gateway.ShownAsync("hearts");
        shown.GetProperty("state").GetString().ShouldBe("forced_open");
        shown.GetProperty("reason").GetString().ShouldBe("moving house");
        shown.GetProperty("next_attempt_seconds").GetDouble().ShouldBeInRange(500, 600);

        using var released = await _gateway.ForceAsync("hearts", """{"state":"auto","reason":"moved"}""");
        released.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await Client.GiveAsync(target, "u")).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await _gateway.ShownAsync("hearts")).GetProperty("state").GetString().ShouldBe("closed");
    }

    [Fact]
    public async Task Post_ForAWhile_ExpiresByItself()
    {
        (await _gateway.ForceAsync("ledger", """{"state":"forced_open","for":"3s","reason":"a drill"}""")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _gateway.ShownAsync("ledger")).GetProperty("state").GetString().ShouldBe("forced_open");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while ((await Client.GiveAsync(HeartClient.Fresh("t"), "u")).StatusCode != HttpStatusCode.Created)
        {
            patience.IsCancellationRequested.ShouldBeFalse();
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }
}

/// <summary>What an operator is refused, which changes nothing: one gateway for all of it.</summary>
public sealed class BreakerRefusalTests(OperatedGateway gateway) : IClassFixture<OperatedGateway>
{
    [Theory]
    [InlineData("hearts", """{"state":"open","for":"10m","reason":"r"}""", 400, "invalid-fields", "state")]
    [InlineData("hearts", """{"for":"10m","reason":"r"}""", 400, "invalid-fields", "state")]
    [InlineData("hearts", """{"state":"closed","reason":"r"}""", 400, "invalid-fields", "for")]
    [InlineData("hearts", """{"state":"closed","for":"0s","reason":"r"}""", 400, "invalid-fields", "for")]
    [InlineData("hearts", """{"state":"closed","for":"25h","reason":"r"}""", 400, "invalid-fields", "for")]
    [InlineData("hearts", """{"state":"closed","for":"-1m","reason":"r"}""", 400, "invalid-fields", "for")]
    [InlineData("hearts", """{"state":"closed","for":"10","reason":"r"}""", 400, "invalid-fields", "for")]
    [InlineData("hearts", """{"state":"closed","for":"99999999999999h","reason":"r"}""", 400, "invalid-fields", "for")]
    [InlineData("hearts", """{"state":"auto","for":"10m","reason":"r"}""", 400, "invalid-fields", "for")]
    [InlineData("hearts", """{"state":"auto"}""", 400, "invalid-fields", "reason")]
    [InlineData("hearts", """{"state":"auto","reason":" "}""", 400, "invalid-fields", "reason")]
    [InlineData("hearts", """{"state":"auto","reason":"a\nb"}""", 400, "invalid-fields", "reason")]
    [InlineData("hearts", """{"state":"auto","reason":"a\u0085b"}""", 400, "invalid-fields", "reason")]
    [InlineData("hearts", """{"state":"auto","reason":"a\u2028b"}""", 400, "invalid-fields", "reason")]
    [InlineData("hearts", """{"state":"auto","reason":"a\u2029b"}""", 400, "invalid-fields", "reason")]
    [InlineData("hearts", """{"state":"auto","reason":"a\u202eb"}""", 400, "invalid-fields", "reason")]
    [InlineData("hearts", """{"state":"auto","reason":"a\ufeffb"}""", 400, "invalid-fields", "reason")]
    [InlineData("hearts", """{"state":"auto","reason":"a\udb40\udc41b"}""", 400, "invalid-fields", "reason")]
    [InlineData("hearts", """{"state":"auto","reason":"a\ud800b"}""", 400, "invalid-json", "reason")]
    [InlineData("hearts", """{"state":1,"reason":"r"}""", 400, "invalid-json", "state")]
    [InlineData("hearts", """{"state":"auto","reason":"r","extra":1}""", 400, "invalid-json", "extra")]
    [InlineData("hearts", """{"state":"auto","reason":"r","reason":"s"}""", 400, "invalid-json", null)]
    [InlineData("hearts", """[]""", 400, "invalid-json", null)]
    [InlineData("hearts", """null""", 400, "invalid-fields", "state")]
    [InlineData("hearts", """{""", 400, "invalid-json", null)]
    [InlineData("others", """{"state":"auto","reason":"r"}""", 404, "not-found", null)]
    public async Task Post_WrongInput_IsToldAndDoesNothing(string name, string body, int status, string code, string? field)
    {
        using var answer = await gateway.ForceAsync(name, body);
        var problem = await answer.ShouldBeProblemAsync(status, code);
        if (field is not null) problem.GetProperty("errors").TryGetProperty(field, out _).ShouldBeTrue(problem.ToString());
        (await gateway.ShownAsync("hearts")).GetProperty("state").GetString().ShouldBe("closed");
    }

    [Fact]
    public async Task Post_WithoutTheKey_IsRefused()
    {
        using var unsigned = await gateway.Server.Client.PostJsonAsync(OperatedGateway.Breakers + "/hearts", """{"state":"auto","reason":"r"}""");
        await unsigned.ShouldBeProblemAsync(401, "credentials-required");
        using var wrong = await gateway.ForceAsync("hearts", """{"state":"auto","reason":"r"}""", key: "another key of 16 characters");
        await wrong.ShouldBeProblemAsync(401, "invalid-token");
    }
}

/// <summary>A gateway that knows an operator.</summary>
public sealed class OperatedGateway : IAsyncLifetime
{
    internal const string Breakers = "/api/v1/breakers";
    private const string OperatorKey = "an operator's key of tests";

    internal GatewayServer Server { get; } = new(TestKeys.Switches(OperatorKey));

    public ValueTask InitializeAsync() => Server.InitializeAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    internal async Task<HttpResponseMessage> ForceAsync(string name, string body, string key = OperatorKey)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Breakers}/{name}");
        request.Content = new StringContent(body, new MediaTypeHeaderValue("application/json"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await Server.Client.SendAsync(request);
    }

    internal async Task<JsonElement> ShownAsync(string name) =>
        (await Server.Client.GetAsync(Breakers).JsonAsync()).GetProperty("breakers").EnumerateArray().Single(breaker => breaker.GetProperty("name").GetString() == name);
}
