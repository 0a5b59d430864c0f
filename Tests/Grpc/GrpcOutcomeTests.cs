using Grpc.Core;
using Grpc.Health.V1;
using HeartGrains.Hearts;
using HeartGrains.RateLimiting;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Live;
using HeartGrains.V1;
using Orleans.Runtime.Messaging;

namespace HeartGrains.Tests.Grpc;

/// <summary>What the caller is told for all that can become of a call: <c>UNAVAILABLE</c> is definite, <c>DEADLINE_EXCEEDED</c> is not.</summary>
public sealed class GrpcOutcomeTests
{
    private static readonly GiveRequest Give = new() { TargetId = "target", UserId = "ann" };
    private static readonly GetRequest Get = new() { TargetId = "target" };

    private static readonly (string, string)[] Fast =
        [("Resilience:CallTimeout", "00:00:30"), ("Resilience:RetryDelay", "00:00:00.001"), ("Resilience:RetryLimit", "2")];

    [Theory]
    [InlineData(HeartOutcome.QueueFull, StatusCode.Unavailable, "QUEUE_FULL", 1)]
    [InlineData(HeartOutcome.LedgerUnavailable, StatusCode.Unavailable, "LEDGER_UNAVAILABLE", 1)]
    [InlineData(HeartOutcome.Conflict, StatusCode.Unavailable, "CONFLICT_RETRY", 1)]
    [InlineData(HeartOutcome.Unknown, StatusCode.DeadlineExceeded, "OUTCOME_UNKNOWN", null)]
    [InlineData(HeartOutcome.Frozen, StatusCode.FailedPrecondition, "TARGET_FROZEN", null)]
    [InlineData(HeartOutcome.Blocked, StatusCode.PermissionDenied, "USER_BLOCKED", null)]
    public async Task Give_TheGrainRefuses_IsToldAsOverHttp(HeartOutcome outcome, StatusCode code, string reason, int? retrySeconds)
    {
        await using var server = await ScriptedGrpc.StartAsync(Fast);
        server.Grains.Write = (_, _) => Task.FromResult(ScriptedGrains.Refused(outcome));
        var refused = await server.Hearts.GiveAsync(Give).ShouldBeRefusedAsync(code, reason);
        if (retrySeconds is { } seconds) refused.RetrySeconds().ShouldBe(seconds);
        else refused.Rich().GetDetail<Google.Rpc.RetryInfo>().ShouldBeNull();
    }

    [Fact]
    public async Task Give_UserIsBlocked_IsToldUntilWhen()
    {
        await using var server = await ScriptedGrpc.StartAsync(Fast);
        server.Grains.Write = static (_, _) => Task.FromResult(new HeartReceipt(HeartOutcome.Blocked, false, default, 0, 0, 1_718_446_953_123_456));
        var refused = await server.Hearts.GiveAsync(Give).ShouldBeRefusedAsync(StatusCode.PermissionDenied, "USER_BLOCKED");
        var metadata = refused.Rich().GetDetail<Google.Rpc.ErrorInfo>().Metadata;
        (metadata["until"], metadata["http_status"]).ShouldBe(("2024-06-15T10:22:33Z", "403"));
        refused.Status.Detail.ShouldContain("2024-06-15T10:22:33Z");
        server.Grains.Write = static (_, _) => Task.FromResult(ScriptedGrains.Refused(HeartOutcome.Frozen));
        (await server.Hearts.GiveAsync(Give).ShouldBeRefusedAsync(StatusCode.FailedPrecondition, "TARGET_FROZEN")).Rich().GetDetail<Google.Rpc.ErrorInfo>().Metadata.ShouldNotContainKey("until");
    }

    [Fact]
    public async Task Calls_NoSiloAnswers_AreUnavailableOrUnknown()
    {
        await using var server = await ScriptedGrpc.StartAsync(Fast);
        server.Grains.Write = static (_, _) => throw new ConnectionFailedException("nobody");
        server.Grains.Read = static (_, _) => throw new TimeoutException();
        (await server.Hearts.GiveAsync(Give).ShouldBeRefusedAsync(StatusCode.Unavailable, "UNAVAILABLE")).RetrySeconds().ShouldBeGreaterThan(0);
        await server.Hearts.GetAsync(Get).ShouldBeRefusedAsync(StatusCode.Unavailable, "UNAVAILABLE");
        await server.Hearts.QueryAsync(new QueryRequest { TargetIds = { "a" } }).ShouldBeRefusedAsync(StatusCode.Unavailable, "UNAVAILABLE");
        await server.Hearts.UsersAsync(new UsersRequest { TargetId = "a" }).ShouldBeRefusedAsync(StatusCode.Unavailable, "UNAVAILABLE");
        server.Grains.Write = static (_, _) => throw new TimeoutException();
        await server.Hearts.WithdrawAsync(new WithdrawRequest { TargetId = "target", UserId = "ann" }).ShouldBeRefusedAsync(StatusCode.DeadlineExceeded, "OUTCOME_UNKNOWN");
    }

    [Fact]
    public async Task Get_NoSiloAnswersAnyMore_IsTheLastKnownStateAndSaysSo()
    {
        await using var server = await ScriptedGrpc.StartAsync(Fast);
        (await server.Hearts.GetAsync(Get)).StaleAsOf.ShouldBeNull();
        server.Grains.Read = static (_, _) => throw new TimeoutException();
        var stale = await server.Hearts.GetAsync(Get);
        stale.Count.ShouldBe(1);
        stale.StaleAsOf.ToDateTime().ShouldBe(TimeProvider.System.GetUtcNow().UtcDateTime, TimeSpan.FromMinutes(1));
        (await server.Hearts.QueryAsync(new QueryRequest { TargetIds = { "target" } })).Hearts[0].StaleAsOf.ShouldNotBeNull();
    }

    [Fact]
    public async Task Give_TheQuotaCannotBeAsked_IsUnavailable()
    {
        await using var server = await ScriptedGrpc.StartAsync(Fast);
        server.Grains.Acquire = static _ => throw new TimeoutException();
        (await server.Hearts.GiveAsync(Give).ShouldBeRefusedAsync(StatusCode.Unavailable, "QUOTA_UNAVAILABLE")).RetrySeconds().ShouldBe(1);
        await server.Hearts.AcquireQuotaAsync(new AcquireQuotaRequest { UserId = "ann", Tokens = 1 }).ShouldBeRefusedAsync(StatusCode.Unavailable, "QUOTA_UNAVAILABLE");
    }

    [Fact]
    public async Task Give_DeadlineBeforeTheAnswer_StopsTheWaitForTheGrain()
    {
        await using var server = await ScriptedGrpc.StartAsync(("Resilience:CallTimeout", "00:00:30"));
        var cancelled = new TaskCompletionSource();
        server.Grains.Write = (_, cancellation) => HangAsync(cancelled, cancellation);
        using var call = server.Hearts.GiveAsync(Give, deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(2));
        (await Should.ThrowAsync<RpcException>(async () => await call)).StatusCode.ShouldBe(StatusCode.DeadlineExceeded);
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        server.Log.Lines.ShouldBeEmpty();
    }

    [Fact]
    public async Task Give_DeadlineThatOnlyTheGatewayKeeps_IsToldByIt()
    {
        await using var server = await ScriptedGrpc.StartAsync(("Resilience:CallTimeout", "00:00:30"));
        server.Grains.Write = static (_, cancellation) => HangAsync(new TaskCompletionSource(), cancellation);

        // As metadata: the client itself does not know of it.
        using var answer = await GrpcFrames.SendAsync(server.Url, "Give", GrpcFrames.Of(Give), "grpc-timeout", "200m");
        GrpcFrames.StatusOf(answer).ShouldBe(StatusCode.DeadlineExceeded);
        server.Log.Lines.ShouldBeEmpty();
    }

    [Fact]
    public async Task Get_MessageThatDoesNotCome_EndsAtTheDeadline()
    {
        await using var server = await ScriptedGrpc.StartAsync();
        var frame = new SlowFrame();
        using var client = new HttpClient();
        using var request = GrpcFrames.Request(server.Url, "Get", frame);
        request.Headers.TryAddWithoutValidation("grpc-timeout", "200m");

        using var answer = await client.SendAsync(request);

        GrpcFrames.StatusOf(answer).ShouldBe(StatusCode.DeadlineExceeded);
        frame.End();
        server.Log.Lines.ShouldBeEmpty();
    }

    [Fact]
    public async Task Get_MessageThatDoesNotComeAndNoDeadline_EndsAloneOnItsConnection()
    {
        await using var server = await ScriptedGrpc.StartAsync(("Grpc:MessageTimeout", "00:00:00.300"));
        using var handler = new SocketsHttpHandler { EnableMultipleHttp2Connections = false };
        using var client = new HttpClient(handler);
        var (slow, other) = (new SlowFrame(), new SlowFrame());

        using var answer = await client.SendAsync(GrpcFrames.Request(server.Url, "Get", slow));
        var next = client.SendAsync(GrpcFrames.Request(server.Url, "Get", other));
        await other.Begun;
        other.End();

        GrpcFrames.StatusOf(answer).ShouldBe(StatusCode.Unavailable);
        GrpcFrames.DetailsOf(answer)!.Details[0].Unpack<Google.Rpc.ErrorInfo>().Reason.ShouldBe("REQUEST_TIMEOUT");
        GrpcFrames.StatusOf(await next).ShouldBe(StatusCode.OK);
        slow.End();
    }

    [Fact]
    public async Task Calls_Cancelled_StopTheWaitForTheGrain()
    {
        await using var server = await ScriptedGrpc.StartAsync(("Resilience:CallTimeout", "00:00:30"));
        var (entered, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());
        server.Grains.Read = async (_, cancellation) =>
        {
            entered.SetResult();
            await HangAsync(cancelled, cancellation);
            return default;
        };
        using var gone = new CancellationTokenSource();
        using var call = server.Hearts.GetAsync(Get, cancellationToken: gone.Token);
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        await gone.CancelAsync();
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        (await Should.ThrowAsync<RpcException>(async () => await call)).StatusCode.ShouldBe(StatusCode.Cancelled);
        server.Log.Lines.ShouldBeEmpty();
    }

    [Fact]
    public async Task Calls_ADefect_IsInternalAndLoggedAndNotShown()
    {
        await using var server = await ScriptedGrpc.StartAsync(Fast);
        server.Grains.Acquire = static _ => Task.FromResult(new QuotaDecision(true, [], new QuotaReceipt(1, 1)));
        var refused = await server.Hearts.GiveAsync(Give).ShouldBeRefusedAsync(StatusCode.Internal, "INTERNAL_ERROR");
        refused.Status.Detail.ShouldNotContain("Index");
        server.Log.Lines.ShouldHaveSingleItem().ShouldContain("grpc_give");
    }

    [Fact]
    public async Task OverloadGuard_NoRoomLeft_RefusesBeforeTheMethod()
    {
        await using var server = await ScriptedGrpc.StartAsync(("Overload:Enabled", "true"), ("Overload:MaxInFlight", "16"), ("Resilience:CallTimeout", "00:00:30"));
        var release = new TaskCompletionSource();
        server.Grains.Read = async (_, _) =>
        {
            await release.Task;
            return new HeartState(HeartOutcome.Committed, 1, 1, null);
        };
        var waiting = Enumerable.Range(0, 16).Select(_ => server.Hearts.GetAsync(Get).ResponseAsync).ToArray();
        await LiveClient.UntilAsync(() => server.Grains.Calls == waiting.Length, "all are in flight");
        var refused = await server.Hearts.GetAsync(Get).ShouldBeRefusedAsync(StatusCode.Unavailable, "TEMPORARY_REDUCED_CAPACITY");
        refused.RetrySeconds().ShouldBeInRange(1, 3);

        // Writes have a lane of their own, and health is never refused.
        await server.Hearts.GiveAsync(Give);
        await new Health.HealthClient(server.Channel).CheckAsync(new HealthCheckRequest());
        release.SetResult();
        await Task.WhenAll(waiting);
    }

    [Fact]
    public async Task OverloadGuard_MessagesThatDribbleIn_TakeNoRoom()
    {
        await using var server = await ScriptedGrpc.StartAsync(("Overload:Enabled", "true"), ("Overload:MaxInFlight", "16"));
        using var client = new HttpClient();
        var slow = Enumerable.Range(0, 20).Select(_ => new SlowFrame()).ToArray();
        var pending = slow.Select(frame => client.SendAsync(GrpcFrames.Request(server.Url, "Get", frame))).ToArray();
        await Task.WhenAll(slow.Select(static frame => frame.Begun));
        (await server.Hearts.GetAsync(Get)).Count.ShouldBe(1);
        foreach (var frame in slow) frame.End();
        foreach (var answer in await Task.WhenAll(pending)) GrpcFrames.StatusOf(answer).ShouldBe(StatusCode.OK);
    }

    [Fact]
    public async Task Health_FollowsReadiness()
    {
        await using var server = await ScriptedGrpc.StartAsync();
        var health = new Health.HealthClient(server.Channel);
        foreach (var isReady in (bool[])[false, true])
        {
            server.IsReady = isReady;
            var expected = isReady ? HealthCheckResponse.Types.ServingStatus.Serving : HealthCheckResponse.Types.ServingStatus.NotServing;
            (await health.CheckAsync(new HealthCheckRequest { Service = "heartgrains.v1.Hearts" })).Status.ShouldBe(expected);
            (await health.CheckAsync(new HealthCheckRequest())).Status.ShouldBe(expected);
        }

        (await Should.ThrowAsync<RpcException>(async () => await health.CheckAsync(new HealthCheckRequest { Service = "unheard.of" }))).StatusCode.ShouldBe(StatusCode.NotFound);
    }

    private static async Task<HeartReceipt> HangAsync(TaskCompletionSource cancelled, CancellationToken cancellation)
    {
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellation);
        }
        finally
        {
            cancelled.TrySetResult();
        }

        return default;
    }
}
