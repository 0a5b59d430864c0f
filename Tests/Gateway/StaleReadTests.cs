using System.Net;
using System.Text.Json;
using HeartGrains.Hearts;
using static HeartGrains.Tests.Gateway.ScriptedGrains;

namespace HeartGrains.Tests.Gateway;

/// <summary>While silos answer badly or not at all, reads tell what the gateway last heard and say so; writes are refused.</summary>
public sealed class StaleReadTests
{
    private static readonly (string, string)[] Settings =
    [
        ("Resilience:CallTimeout", "00:00:30"), ("Resilience:RetryLimit", "0"),
        ("Breakers:Hearts:TripOn", "failure_rate"), ("Breakers:Hearts:MinimumCalls", "4"), ("Breakers:Hearts:BreakDuration", "00:01:00"),
    ];

    [Fact]
    public async Task Read_BreakerOpen_TellsTheLastKnownStateWithItsAge()
    {
        await using var server = await ScriptedServer.StartAsync(Settings);
        await KnowAsync(server, "a", count: 7, version: 9);
        await OpenAsync(server);
        var calls = server.Grains.Calls;

        using var answer = await server.Client.ReadAsync("a", "u");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        ShouldBeStale(await answer.JsonAsync(), "a", count: 7, version: 9);
        answer.Headers.Age!.Value.ShouldBeInRange(TimeSpan.Zero, TimeSpan.FromMinutes(1));
        answer.Headers.CacheControl!.NoStore.ShouldBeTrue();
        server.Grains.Calls.ShouldBe(calls);
    }

    /// <summary>With readers alone, of targets that are known: one of them is let through when the break is over.</summary>
    [Fact]
    public async Task Read_BreakIsOverAndGrainsAreWell_IsFreshAgain()
    {
        await using var server = await ScriptedServer.StartAsync([.. Settings.Where(static setting => setting.Item1 != "Breakers:Hearts:BreakDuration"), ("Breakers:Hearts:BreakDuration", "00:00:00.200")]);
        await KnowAsync(server, "a", count: 7, version: 9);
        await OpenAsync(server);
        server.Grains.Read = static (_, _) => Task.FromResult(new HeartState(HeartOutcome.Committed, 8, 10, null));

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        JsonElement seen;
        do
        {
            seen = await server.Client.ReadAsync("a").JsonAsync();
            patience.IsCancellationRequested.ShouldBeFalse();
        }
        while (seen.TryGetProperty("stale", out _));

        seen.GetProperty("version").GetInt64().ShouldBe(10);
        server.Breakers.Of("hearts").Look().State.ShouldBe(HeartGrains.Resilience.BreakerState.Closed);
    }

    [Fact]
    public async Task Read_BreakerOpenAndTargetUnknown_Is503()
    {
        await using var server = await ScriptedServer.StartAsync(Settings);
        await OpenAsync(server);
        using var answer = await server.Client.ReadAsync("never seen");
        await answer.ShouldBeProblemAsync(503, "temporary-reduced-capacity");
        answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeInRange(1, 75);
    }

    [Fact]
    public async Task Query_BreakerOpen_TellsAllOrNone()
    {
        await using var server = await ScriptedServer.StartAsync(Settings);
        await KnowAsync(server, "a", count: 7, version: 9);
        await KnowAsync(server, "b", count: 1, version: 1);
        await OpenAsync(server);

        using var answer = await server.Client.PostJsonAsync(HeartClient.Hearts + "/query", """{"target_ids":["b","a"]}""");
        var hearts = (await answer.JsonAsync()).GetProperty("hearts").EnumerateArray().ToArray();
        ShouldBeStale(hearts[0], "b", count: 1, version: 1);
        ShouldBeStale(hearts[1], "a", count: 7, version: 9);
        answer.Headers.Age.ShouldNotBeNull();

        using var refused = await server.Client.PostJsonAsync(HeartClient.Hearts + "/query", """{"target_ids":["a","never seen"]}""");
        await refused.ShouldBeProblemAsync(503, "temporary-reduced-capacity");
    }

    [Fact]
    public async Task Read_GrainFailsAndBreakerClosed_TellsTheLastKnownState()
    {
        await using var server = await ScriptedServer.StartAsync(Settings);
        await KnowAsync(server, "a", count: 7, version: 9);
        server.Grains.Read = static (_, _) => Task.FromResult(new HeartState(HeartOutcome.LedgerUnavailable, 0, 0, null));
        ShouldBeStale(await server.Client.ReadAsync("a").JsonAsync(), "a", count: 7, version: 9);
    }

    [Fact]
    public async Task Read_AfterAHeartWasGiven_KnowsIt()
    {
        await using var server = await ScriptedServer.StartAsync(Settings);
        server.Grains.Write = static (_, _) => Task.FromResult(Committed with { Count = 3, Version = 4 });
        (await server.Client.GiveAsync("a", "u")).StatusCode.ShouldBe(HttpStatusCode.Created);
        server.Grains.Read = static (_, _) => throw new TimeoutException();
        ShouldBeStale(await server.Client.ReadAsync("a").JsonAsync(), "a", count: 3, version: 4);
    }

    /// <summary>Answers that are only late make it degraded: under this rule they never open the breaker.</summary>
    [Fact]
    public async Task Read_HealthBelowTheLimit_TellsTheLastKnownStateWithoutAskingThoughClosed()
    {
        await using var server = await ScriptedServer.StartAsync([.. Settings, ("Breakers:Hearts:P95", "00:00:00.001")]);
        await KnowAsync(server, "a", count: 7, version: 9);
        server.Grains.Write = static async (_, _) =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            return Committed;
        };

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        JsonElement seen;
        do
        {
            (await server.Client.GiveAsync("t", "u")).IsSuccessStatusCode.ShouldBeTrue();
            seen = await server.Client.ReadAsync("a").JsonAsync();
            patience.IsCancellationRequested.ShouldBeFalse();
        }
        while (!seen.TryGetProperty("stale", out _));

        ShouldBeStale(seen, "a", count: 7, version: 9);
        (await server.Client.GiveAsync("t", "u")).IsSuccessStatusCode.ShouldBeTrue();
        var calls = server.Grains.Calls;
        (await server.Client.GetStringAsync("/api/v1/badge.svg?target_id=a")).ShouldContain(">7</text>");
        server.Grains.Calls.ShouldBe(calls);
    }

    private static async Task KnowAsync(ScriptedServer server, string target, long count, long version)
    {
        server.Grains.Read = (_, _) => Task.FromResult(new HeartState(HeartOutcome.Committed, count, version, null));
        (await server.Client.ReadAsync(target).JsonAsync()).TryGetProperty("stale", out _).ShouldBeFalse();
    }

    private static async Task OpenAsync(ScriptedServer server)
    {
        server.Grains.Write = static (_, _) => Task.FromException<HeartReceipt>(new TimeoutException());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while ((await server.Client.GiveAsync("t", "u")).StatusCode != HttpStatusCode.ServiceUnavailable) patience.IsCancellationRequested.ShouldBeFalse();
    }

    private static void ShouldBeStale(JsonElement heart, string target, long count, long version)
    {
        heart.GetProperty("stale").GetBoolean().ShouldBeTrue();
        heart.GetProperty("target_id").GetString().ShouldBe(target);
        heart.GetProperty("count").GetInt64().ShouldBe(count);
        heart.GetProperty("version").GetInt64().ShouldBe(version);
        (TimeProvider.System.GetUtcNow() - heart.GetProperty("as_of").GetDateTimeOffset()).ShouldBeInRange(TimeSpan.FromSeconds(-1), TimeSpan.FromMinutes(1));
        heart.TryGetProperty("hearted", out _).ShouldBeFalse();
    }
}
