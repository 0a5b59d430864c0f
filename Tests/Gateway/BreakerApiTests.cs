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
