using System.Net;
using HeartGrains.Hearts;
using HeartGrains.RateLimiting;
using HeartGrains.Resilience;
using HeartGrains.Tests.RateLimiting;
using Orleans.Runtime;
using Orleans.Runtime.Messaging;
using HeartGrains.Tests.Cluster;
using static HeartGrains.Tests.Gateway.ScriptedGrains;

namespace HeartGrains.Tests.Gateway;

/// <summary>What the caller is told for all that can become of a call: 503 and 429 are definite, 504 is not.</summary>
public sealed class OutcomeTests
{
    private static readonly (string, string)[] Fast =
        [("Resilience:CallTimeout", "00:00:30"), ("Resilience:RetryDelay", "00:00:00.001"), ("Resilience:RetryLimit", "2")];

    private static (string, string)[] Told(string script) => script == "Hang" ? [("Resilience:CallTimeout", "00:00:00.300"), .. Fast[1..]] : Fast;

    public static TheoryData<string, int, string, int> Writes { get; } = new()
    {
        { "QueueFull", 503, "queue-full", 1 },
        { "LedgerUnavailable", 503, "ledger-unavailable", 1 },
        { "Conflict", 503, "conflict-retry", 3 },
        { "Unknown", 504, "outcome-unknown", 1 },
        { "Frozen", 409, "target-frozen", 1 },
        { "Blocked", 403, "user-blocked", 1 },
        { "Conflict,Frozen", 409, "target-frozen", 2 },
        { "Conflict,Blocked", 403, "user-blocked", 2 },
        { "Timeout", 504, "outcome-unknown", 1 },
        { "Hang", 504, "outcome-unknown", 1 },
        { "Bug", 504, "outcome-unknown", 1 },
        { "Rejected", 504, "outcome-unknown", 3 },
        { "SiloUnavailable", 504, "outcome-unknown", 3 },
        { "NoGateways", 503, "unavailable", 3 },
        { "ConnectionFailed", 503, "unavailable", 3 },
        { "TooBusy", 503, "unavailable", 1 },
        { "Rejected,QueueFull", 504, "outcome-unknown", 2 },
        { "Rejected,LedgerUnavailable", 504, "outcome-unknown", 2 },
        { "Rejected,Conflict,Conflict", 504, "outcome-unknown", 3 },
        { "Rejected,NoGateways,NoGateways", 504, "outcome-unknown", 3 },
        { "Conflict,QueueFull", 503, "queue-full", 2 },
        { "Conflict,Timeout", 504, "outcome-unknown", 2 },
    };

    public static TheoryData<string, int, string> Reads { get; } = new()
    {
        { "LedgerUnavailable", 503, "ledger-unavailable" },
        { "Timeout", 503, "unavailable" },
        { "Hang", 503, "unavailable" },
        { "Bug", 503, "unavailable" },
        { "Rejected", 503, "unavailable" },
        { "NoGateways", 503, "unavailable" },
    };

    [Theory]
    [MemberData(nameof(Writes))]
    public async Task Write_Fails_IsToldHonestly(string script, int status, string code, int calls)
    {
        await using var server = await ScriptedServer.StartAsync(Told(script));
        server.Grains.Write = (call, cancellation) => Act(script, call, Refused, cancellation);

        foreach (var send in (Func<Task<HttpResponseMessage>>[])[() => server.Client.GiveAsync("t", "u"), () => server.Client.WithdrawAsync("t", "u")])
        {
            var before = server.Grains.Calls;
            server.Grains.Write = (call, cancellation) => Act(script, call - before, Refused, cancellation);
            var response = await send();
            await response.ShouldBeProblemAsync(status, code);
            (server.Grains.Calls - before).ShouldBe(calls);
            if (status == 503) response.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeGreaterThanOrEqualTo(1);
            else response.Headers.RetryAfter.ShouldBeNull();
        }
    }

    [Theory]
    [MemberData(nameof(Reads))]
    public async Task Read_Fails_IsA503WithRetryAfter(string script, int status, string code)
    {
        await using var server = await ScriptedServer.StartAsync(Told(script));
        server.Grains.Read = (call, cancellation) => Act(script, call, static outcome => new HeartState(outcome, 0, 0, null), cancellation);

        foreach (var send in (Func<Task<HttpResponseMessage>>[])
            [
                () => server.Client.ReadAsync("t"),
                () => server.Client.GetAsync(HeartClient.Hearts + "/users?target_id=t"),
                () => server.Client.GetAsync(HeartClient.Hearts + "/top"),
                () => server.Client.PostJsonAsync(HeartClient.Hearts + "/query", """{"target_ids":["a","b"]}"""),
            ])
        {
            var response = await send();
            await response.ShouldBeProblemAsync(status, code);
            response.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeGreaterThanOrEqualTo(1);
        }
    }

    [Theory]
    [InlineData("Rejected")]
    [InlineData("Conflict")]
    [InlineData("NoGateways,Conflict")]
    public async Task Write_SucceedsOnRetry_IsCreated(string script)
    {
        await using var server = await ScriptedServer.StartAsync(Fast);
        server.Grains.Write = (call, cancellation) => Act(script + ",Committed", call, outcome => outcome == HeartOutcome.Committed ? Committed : Refused(outcome), cancellation);
        var response = await server.Client.GiveAsync("t", "u");
        response.StatusCode.ShouldBe(HttpStatusCode.Created);
        (await response.JsonAsync()).GetProperty("timestamp").GetString().ShouldBe("2024-06-15T10:22:33.123456Z");
    }

    [Fact]
    public async Task Breaker_AfterFailures_RefusesWithoutCallingAndRecovers()
    {
        await using var server = await ScriptedServer.StartAsync([.. Fast, ("Breakers:Hearts:TripOn", "failure_rate"), ("Breakers:Hearts:BreakDuration", "00:00:00.500"), ("Breakers:Hearts:MinimumCalls", "4")]);
        server.Grains.Write = static (_, _) => Task.FromException<HeartReceipt>(new TimeoutException());
        for (var call = 0; call < 4; call++) await (await server.Client.GiveAsync("t", "u")).ShouldBeProblemAsync(504, "outcome-unknown");

        // The window is looked at ten times a second.
        using var giveUp = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var refused = await server.Client.GiveAsync("t", "u");
        for (; refused.StatusCode == HttpStatusCode.GatewayTimeout; refused = await server.Client.GiveAsync("t", "u")) giveUp.IsCancellationRequested.ShouldBeFalse();
        var (calls, returns) = (server.Grains.Calls, server.Grains.Returns);
        await refused.ShouldBeProblemAsync(503, "temporary-reduced-capacity");
        refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeGreaterThanOrEqualTo(1);
        await (await server.Client.WithdrawAsync("t", "u")).ShouldBeProblemAsync(503, "temporary-reduced-capacity");
        server.Grains.Calls.ShouldBe(calls);
        server.Grains.Returns.ShouldBe(returns);

        server.Grains.Write = static (_, _) => Task.FromResult(Committed);
        while ((await server.Client.GiveAsync("t", "u")).StatusCode != HttpStatusCode.Created)
        {
            giveUp.IsCancellationRequested.ShouldBeFalse();
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    /// <summary>The quota is asked before every heart, and is another dependency all the same.</summary>
    [Theory]
    [InlineData(Breakers.Quota, Breakers.Hearts)]
    [InlineData(Breakers.Hearts, Breakers.Quota)]
    public async Task Breakers_OneDependencyInTrouble_OnlyItsOwnOpens(string troubled, string well)
    {
        (string, string)[] quick = [.. from name in (string[])["Quota", "Hearts"] from setting in (string[])["TripOn=failure_rate", "MinimumCalls=4"]
                                       select ($"Breakers:{name}:{setting.Split('=')[0]}", setting.Split('=')[1])];
        await using var server = await ScriptedServer.StartAsync([.. Fast, .. quick]);
        if (troubled == Breakers.Quota) server.Grains.Acquire = static _ => Task.FromException<QuotaDecision>(new TimeoutException());
        else server.Grains.Write = static (_, _) => Task.FromException<HeartReceipt>(new TimeoutException());

        using var giveUp = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (server.Breakers.Of(troubled).Look().State != BreakerState.Open)
        {
            await server.Client.GiveAsync("t", "u");
            await server.Client.ReadAsync("t");
            giveUp.IsCancellationRequested.ShouldBeFalse();
        }

        server.Breakers.Of(well).Look().State.ShouldBe(BreakerState.Closed);
        server.Breakers.Of(well).Look().Reading.Calls.ShouldBeGreaterThan(0);
        server.Breakers.Of(well).Look().Reading.Failures.ShouldBe(0);
    }

    /// <summary>The time a commit took is the ledger's, by whatever rule: latency alone opens this one.</summary>
    [Theory]
    [InlineData(0, BreakerState.Open)]
    [InlineData(100, BreakerState.Closed)]
    public async Task Breaker_CommitsAreSlow_IsOpenedOnlyByTimeThatIsNotTheLedgers(int ledgerMillis, BreakerState expected)
    {
        await using var server = await ScriptedServer.StartAsync([.. Fast, ("Breakers:Hearts:TripOn", "p95"), ("Breakers:Hearts:P95", "00:00:00.020"), ("Breakers:Hearts:MinimumCalls", "4")]);
        server.Grains.Write = async (_, cancellation) =>
        {
            await Task.Delay(TimeSpan.FromMilliseconds(30), TimeProvider.System, cancellation);
            return Committed with { LedgerMillis = ledgerMillis };
        };
        for (var call = 0; call < 8; call++) await server.Client.GiveAsync("t", "u");

        // The window is looked at by who asks.
        await LocalCluster.UntilAsync(() => Task.FromResult(server.Breakers.Of(Breakers.Hearts).Look().State == expected), TimeSpan.FromSeconds(60), $"not {expected}");
        server.Breakers.Of(Breakers.Hearts).IsDegraded.ShouldBeFalse();
    }

    /// <summary>What no outage throws: it must not vanish behind a 504.</summary>
    [Fact]
    public async Task Give_GrainHasADefect_IsLoggedWithItsTypeAndWithoutItsText()
    {
        await using var server = await ScriptedServer.StartAsync(Fast);
        server.Grains.Write = static (_, _) => Task.FromException<HeartReceipt>(new InvalidOperationException("of user secret-user"));
        await server.Client.GiveAsync("t", "u");
        server.Log.Lines.ShouldContain(static line => line.Contains("System.InvalidOperationException"));
        server.Log.Lines.ShouldNotContain(static line => line.Contains("secret-user"));
    }

    [Fact]
    public async Task Breaker_AfterRefusals_StaysClosed()
    {
        await using var server = await ScriptedServer.StartAsync([.. Fast, ("Breakers:Hearts:TripOn", "failure_rate"), ("Breakers:Hearts:MinimumCalls", "2")]);
        foreach (var outcome in (HeartOutcome[])[HeartOutcome.QueueFull, HeartOutcome.LedgerUnavailable, HeartOutcome.Conflict])
        {
            server.Grains.Write = (_, _) => Task.FromResult(Refused(outcome));
            for (var call = 0; call < 5; call++) await server.Client.GiveAsync("t", "u");
        }

        server.Grains.Write = static (_, _) => Task.FromResult(Committed);
        (await server.Client.GiveAsync("t", "u")).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Fact]
    public async Task Client_GoesAway_CancelsTheCall()
    {
        await using var server = await ScriptedServer.StartAsync(("Resilience:CallTimeout", "00:00:30"));
        var called = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        server.Grains.Write = async (_, cancellation) =>
        {
            await using var registration = cancellation.Register(cancelled.SetResult);
            called.SetResult();
            await cancelled.Task;
            throw new OperationCanceledException(cancellation);
        };
        using var leaving = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Delete, HeartClient.Hearts + "?target_id=t&user_id=u");
        var pending = server.Client.SendAsync(request, leaving.Token);
        await called.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        await leaving.CancelAsync();
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        await Should.ThrowAsync<OperationCanceledException>(pending);
        server.Grains.Calls.ShouldBe(1);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1000, 1)]
    [InlineData(1001, 2)]
    [InlineData(0, 1)]
    public async Task Quota_Refuses_Is429WithHeadersAndNoGrainCall(long waitMillis, int seconds)
    {
        await using var server = await ScriptedServer.StartAsync(Fast);
        server.Grains.Acquire = _ => Task.FromResult(new QuotaDecision(false, [new QuotaVerdict(false, 0, waitMillis, 59_001)], default));
        foreach (var send in (Func<Task<HttpResponseMessage>>[])[() => server.Client.GiveAsync("t", "u"), () => server.Client.WithdrawAsync("t", "u")])
        {
            var response = await send();
            var problem = await response.ShouldBeProblemAsync(429, "quota-exceeded");
            problem.GetProperty("violated-policies").EnumerateArray().Select(name => name.GetString()).ShouldBe(["user"]);
            response.Headers.GetValues("Retry-After").ShouldBe([seconds.ToString()]);
            response.Headers.GetValues("RateLimit-Policy").ShouldBe(["\"user\";q=60;w=60"]);
            response.Headers.GetValues("RateLimit").ShouldBe(["\"user\";r=0;t=60"]);
        }

        server.Grains.Calls.ShouldBe(0);
    }

    [Fact]
    public async Task Quota_Admits_IsToldOnEveryJudgedAnswer()
    {
        await using var server = await ScriptedServer.StartAsync(Fast);
        foreach (var outcome in (HeartOutcome[])[HeartOutcome.Committed, HeartOutcome.QueueFull])
        {
            server.Grains.Write = (_, _) => Task.FromResult(outcome == HeartOutcome.Committed ? Committed : Refused(outcome));
            var response = await server.Client.GiveAsync("t", "u");
            response.Headers.GetValues("RateLimit-Policy").ShouldBe(["\"user\";q=60;w=60"]);
            response.Headers.GetValues("RateLimit").ShouldBe(["\"user\";r=59;t=1"]);
        }
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public async Task Quota_Fails_ThePolicyDecidesAndNeverA429(bool atOnce, bool admits)
    {
        await using var server = await ScriptedServer.StartAsync(
            new ScriptedGrains { Policy = Policies.User with { AdmitsOnOutage = admits } }, Fast);
        server.Grains.Acquire = _ => atOnce ? throw new TimeoutException() : Task.FromException<QuotaDecision>(new TimeoutException());
        var response = await server.Client.GiveAsync("t", "u");
        if (admits)
        {
            response.StatusCode.ShouldBe(HttpStatusCode.Created);
            return;
        }

        await response.ShouldBeProblemAsync(503, "quota-unavailable");
        response.Headers.GetValues("Retry-After").ShouldBe(["1"]);
        server.Grains.Calls.ShouldBe(0);
    }

    [Theory]
    [InlineData("QueueFull", 1)]
    [InlineData("LedgerUnavailable", 1)]
    [InlineData("Conflict", 1)]
    [InlineData("Timeout", 1)]
    [InlineData("NoGateways", 1)]
    [InlineData("Committed", 0)]
    public async Task Heart_FailsForOurFault_GivesItsTokensBack(string script, int returns)
    {
        await using var server = await ScriptedServer.StartAsync(Fast);
        server.Grains.Write = (call, cancellation) => Act(script, call, outcome => outcome == HeartOutcome.Committed ? Committed : Refused(outcome), cancellation);
        await server.Client.GiveAsync("t", "u");
        server.Grains.Returns.ShouldBe(returns);

        // A repeat is no failure.
        server.Grains.Write = static (_, _) => Task.FromResult(Committed with { Changed = false });
        (await server.Client.GiveAsync("t", "u")).StatusCode.ShouldBe(HttpStatusCode.OK);
        server.Grains.Returns.ShouldBe(returns);
    }

    /// <summary>The step of the script that this call has come to; its last step repeats.</summary>
    private static async Task<T> Act<T>(string script, int call, Func<HeartOutcome, T> answer, CancellationToken cancellation)
    {
        var steps = script.Split(',');
        var step = steps[Math.Min(call, steps.Length) - 1];
        await Task.Yield();
        if (Enum.TryParse<HeartOutcome>(step, out var outcome)) return answer(outcome);
        if (step == "Hang") await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation);
        throw step switch
        {
            "Timeout" => new TimeoutException(),
            "Rejected" => Rejection("Rejected by a silo."),
            "SiloUnavailable" => new SiloUnavailableException(),
            "NoGateways" => Rejection("No gateways available"),
            "ConnectionFailed" => new ConnectionFailedException("Refused."),
            "TooBusy" => new GatewayTooBusyException(),
            _ => new InvalidOperationException(step),
        };
    }
}
