using System.Net;
using HeartGrains.Hosting;

namespace HeartGrains.Tests.Gateway;

public sealed class LocalLimiterTests
{
    private static readonly (string, string)[] TwoForAnAddress =
    [
        ("LocalLimits:Address:TokenLimit", "2"), ("LocalLimits:Address:TokensPerPeriod", "1"), ("LocalLimits:Address:ReplenishmentPeriod", "00:00:10"),
    ];

    private static readonly (string, string)[] TwoForTheGateway =
        [("LocalLimits:Gateway:TokenLimit", "2"), ("LocalLimits:Gateway:TokensPerPeriod", "1"), ("LocalLimits:Gateway:ReplenishmentPeriod", "00:00:02.5")];

    [Fact]
    public async Task Api_NothingConfigured_IsNotLimited()
    {
        await using var server = await LimitedServer.StartAsync();
        for (var call = 0; call < 200; call++) (await server.CallAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Api_AddressSpent_Is429WithPolicyAndTime()
    {
        await using var server = await LimitedServer.StartAsync(TwoForAnAddress);
        await SpendAsync(server, calls: 2);
        server.Clock.Advance(TimeSpan.FromSeconds(2.5));

        var response = await server.CallAsync();

        var problem = await response.ShouldBeProblemAsync(429, "quota-exceeded");
        problem.GetProperty("violated-policies").EnumerateArray().Select(policy => policy.GetString()).ShouldBe(["local-address"]);
        response.Headers.GetValues("Retry-After").ShouldBe(["8"]);
        response.Headers.GetValues("RateLimit-Policy").ShouldBe(["\"local-address\";q=2;w=20"]);
        response.Headers.GetValues("RateLimit").ShouldBe(["\"local-address\";r=0;t=18"]);

        server.Clock.Advance(TimeSpan.FromSeconds(7.5));
        (await server.CallAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await server.CallAsync()).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task Api_GatewayFull_Is503WithTime()
    {
        await using var server = await LimitedServer.StartAsync(TwoForTheGateway);
        await SpendAsync(server, calls: 2);

        var response = await server.CallAsync();

        var problem = await response.ShouldBeProblemAsync(503, "temporary-reduced-capacity");
        problem.TryGetProperty("violated-policies", out _).ShouldBeFalse();
        response.Headers.GetValues("Retry-After").ShouldBe(["3"]);
        response.Headers.Contains("RateLimit").ShouldBeFalse();
    }

    [Fact]
    public async Task Api_AddressSpent_CostsTheGatewayNothing()
    {
        await using var server = await LimitedServer.StartAsync(
            [.. TwoForAnAddress, ("LocalLimits:Gateway:TokenLimit", "3"), ("LocalLimits:Gateway:TokensPerPeriod", "1"), ("TrustedProxies:0", "127.0.0.1")]);
        await SpendAsync(server, calls: 2, "192.0.2.1");
        for (var call = 0; call < 5; call++) (await server.CallAsync("192.0.2.1")).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);

        (await server.CallAsync("192.0.2.2")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await server.CallAsync("192.0.2.2")).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
    }

    [Theory]
    [InlineData("/health/live", 200)]
    [InlineData("/api", 404)]
    [InlineData("/dashboard", 404)]
    [InlineData("/API/v1/anything", 429)]
    [InlineData("/%61pi/v1/anything", 429)]
    [InlineData("/api/v1/nothing", 429)]
    public async Task Paths_AddressSpent_OnlyTheApiIsRefused(string path, int status)
    {
        await using var server = await LimitedServer.StartAsync([.. TwoForAnAddress, .. TwoForTheGateway]);
        await SpendAsync(server, calls: 2);
        ((int)(await server.CallAsync(path: path)).StatusCode).ShouldBe(status);
    }

    [Fact]
    public async Task Api_AddressSpentInShadow_IsCountedAndAdmitted()
    {
        await using var server = await LimitedServer.StartAsync([.. TwoForAnAddress, ("LocalLimits:Address:Shadow", "true")]);
        var before = Shadows();
        await SpendAsync(server, calls: 5);
        (Shadows() - before).ShouldBe(3);

        static double Shadows() => Prometheus.Metrics.CreateCounter("heartgrains_local_limit_total", "", "limit", "result").WithLabels("address", "shadow").Value;
    }

    [Fact]
    public async Task ForwardedFor_NobodyTrusted_IsIgnored()
    {
        await using var server = await LimitedServer.StartAsync(TwoForAnAddress);
        (await BodyAsync(server, "192.0.2.1")).ShouldBe("127.0.0.1 http");
        (await BodyAsync(server, "192.0.2.2")).ShouldBe("127.0.0.1 http");
        (await server.CallAsync("192.0.2.3")).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
    }

    [Theory]
    [InlineData("127.0.0.1", "192.0.2.1", "192.0.2.1")]
    [InlineData("127.0.0.0/8", "198.51.100.1, 192.0.2.1", "192.0.2.1")]
    [InlineData("127.0.0.1,192.0.2.0/24", "203.0.113.9, 198.51.100.1, 192.0.2.1", "198.51.100.1")]
    [InlineData("10.0.0.0/8", "192.0.2.1", "127.0.0.1")]
    [InlineData("127.0.0.1", "nonsense", "127.0.0.1")]
    public async Task ForwardedFor_TrustedProxies_TellTheClientThatTheyVouchFor(string trusted, string forwardedFor, string client)
    {
        await using var server = await LimitedServer.StartAsync([.. TwoForAnAddress, ("TrustedProxies", trusted)]);
        (await BodyAsync(server, forwardedFor)).ShouldBe($"{client} http");
        await SpendAsync(server, calls: 1, forwardedFor);
        (await server.CallAsync(forwardedFor)).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        (await server.CallAsync(client == "127.0.0.1" ? null : "192.0.2.77")).StatusCode.ShouldBe(client == "127.0.0.1" ? HttpStatusCode.TooManyRequests : HttpStatusCode.OK);
    }

    [Fact]
    public async Task Reload_PolicyChanged_AppliesAtOnce()
    {
        await using var server = await LimitedServer.StartAsync();
        await SpendAsync(server, calls: 5);

        server.Change(("LocalLimits:Address:TokenLimit", "1"), ("LocalLimits:Address:TokensPerPeriod", "1"));
        await SpendAsync(server, calls: 1);
        (await server.CallAsync()).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);

        server.Change(("LocalLimits:Address:TokenLimit", "0"));
        await SpendAsync(server, calls: 5);
    }

    [Fact]
    public async Task Reload_OtherSettingChanged_KeepsWhatWasSpent()
    {
        await using var server = await LimitedServer.StartAsync([.. TwoForAnAddress, .. TwoForTheGateway]);
        await SpendAsync(server, calls: 2);

        server.Change(("LocalLimits:Address:Shadow", "true"));
        (await server.CallAsync()).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        server.Change(("LocalLimits:Address:Shadow", "false"));
        (await server.CallAsync()).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
    }

    [Theory]
    [InlineData("LocalLimits:Address:TokenLimit", "-1")]
    [InlineData("LocalLimits:Address:TokenLimit", "many")]
    [InlineData("LocalLimits:Address:TokensPerPeriod", "0")]
    [InlineData("LocalLimits:Address:Tokens", "1")]
    public async Task Reload_SettingsAreRefused_KeepsTheOldAndSaysSo(string key, string value)
    {
        await using var server = await LimitedServer.StartAsync(TwoForAnAddress);
        await SpendAsync(server, calls: 2);

        server.Change((key, value));

        (await server.CallAsync()).StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        server.Errors.ShouldHaveSingleItem().ShouldContain($"HeartGrains:{key}");
    }

    [Theory]
    [InlineData("LocalLimits:Gateway:TokenLimit", "10", "HeartGrains:LocalLimits:Gateway:TokensPerPeriod", "needs a rate")]
    [InlineData("LocalLimits:Gateway:TokenLimit", "2000000", "HeartGrains:LocalLimits:Gateway:TokenLimit", "'2000000' is refused")]
    [InlineData("LocalLimits:Address:TableCells", "1", "HeartGrains:LocalLimits:Address:TableCells", "'1' is refused")]
    [InlineData("LocalLimits:Address:Tokens", "1", "HeartGrains:LocalLimits:Address:Tokens", "did you mean HeartGrains:LocalLimits:Address:TokenLimit")]
    public async Task Start_SettingsAreRefused_NamesTheSetting(string key, string value, string name, string reason)
    {
        var message = (await Should.ThrowAsync<StartException>(() => LimitedServer.StartAsync((key, value)))).Message;
        message.ShouldContain(name);
        message.ShouldContain(reason);
    }

    [Fact]
    public async Task Start_PolicyThatCannotBeKept_NamesTheSetting()
    {
        (string, string)[] tooFast = [("LocalLimits:Gateway:TokenLimit", "10"), ("LocalLimits:Gateway:TokensPerPeriod", "1001"), ("LocalLimits:Gateway:ReplenishmentPeriod", "00:00:00.001")];
        (await Should.ThrowAsync<StartException>(() => LimitedServer.StartAsync(tooFast))).Message.ShouldContain("HeartGrains:LocalLimits:Gateway:ReplenishmentPeriod");

        (string, string)[] tooSlow = [("LocalLimits:Address:TokenLimit", "32"), ("LocalLimits:Address:TokensPerPeriod", "1"), ("LocalLimits:Address:ReplenishmentPeriod", "1.00:00:00")];
        (await Should.ThrowAsync<StartException>(() => LimitedServer.StartAsync(tooSlow))).Message.ShouldContain("HeartGrains:LocalLimits:Address:TokenLimit");
    }

    private static async Task SpendAsync(LimitedServer server, int calls, string? forwardedFor = null)
    {
        for (var call = 0; call < calls; call++) (await server.CallAsync(forwardedFor)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static async Task<string> BodyAsync(LimitedServer server, string forwardedFor) =>
        await (await server.CallAsync(forwardedFor)).Content.ReadAsStringAsync();
}
