using Grpc.Core;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Identity;
using HeartGrains.Tests.Identity.Jwt;
using HeartGrains.V1;

namespace HeartGrains.Tests.Grpc;

/// <summary>Who calls, and how often: the same identities and limits as HTTP's, told with <c>google.rpc</c> details.</summary>
public sealed class GrpcLimitTests
{
    private const string Key = "a key of a test with enough of it";

    private static readonly string[] Policy =
    [
        "--HeartGrains:RateLimits:Policies:0:Name=ten-an-hour", "--HeartGrains:RateLimits:Policies:0:Dimension=user", "--HeartGrains:RateLimits:Policies:0:Algorithm=token_bucket",
        "--HeartGrains:RateLimits:Policies:0:TokenLimit=10", "--HeartGrains:RateLimits:Policies:0:TokensPerPeriod=10", "--HeartGrains:RateLimits:Policies:0:ReplenishmentPeriod=01:00:00",
    ];

    [Fact]
    public async Task AcquireQuota_AndHearts_AndHttp_TakeFromOneQuota()
    {
        await using var server = await GrpcServer.StartAsync(Policy);
        var taken = await server.Hearts.AcquireQuotaAsync(new AcquireQuotaRequest { UserId = "ann", Tokens = 7 });
        taken.ShouldBe(new AcquireQuotaReply { UserId = "ann", Tokens = 7, Tightest = new PolicyStanding { Policy = "ten-an-hour", Remaining = 3, ResetSeconds = taken.Tightest.ResetSeconds } });
        taken.Tightest.ResetSeconds.ShouldBeInRange(2_000, 3_600);

        await server.Http.GiveAsync("target", "ann");
        await server.Hearts.GiveAsync(new GiveRequest { TargetId = "target 2", UserId = "ann" });
        (await server.Http.StandingsAsync("ann"))["ten-an-hour"].GetProperty("remaining").GetInt64().ShouldBe(1);

        var refused = await server.Hearts.AcquireQuotaAsync(new AcquireQuotaRequest { UserId = "ann", Tokens = 2 }).ShouldBeRefusedAsync(StatusCode.ResourceExhausted, "QUOTA_EXCEEDED");
        refused.Rich().GetDetail<Google.Rpc.QuotaFailure>().Violations.ShouldHaveSingleItem().Subject.ShouldBe("policy:ten-an-hour");
        refused.RetrySeconds().ShouldBeInRange(1, 3_600);

        await server.Hearts.GiveAsync(new GiveRequest { TargetId = "target 3", UserId = "ann" });
        var spent = await server.Hearts.GiveAsync(new GiveRequest { TargetId = "target 4", UserId = "ann" }).ShouldBeRefusedAsync(StatusCode.ResourceExhausted, "QUOTA_EXCEEDED");
        spent.RetrySeconds().ShouldBeInRange(1, 3_600);
        (await server.Http.ReadAsync("target 4").JsonAsync()).GetProperty("count").GetInt64().ShouldBe(0);

        var tooMuch = await server.Hearts.AcquireQuotaAsync(new AcquireQuotaRequest { UserId = "ben", Tokens = 11 }).ShouldBeRefusedAsync(StatusCode.InvalidArgument, "INVALID_FIELDS");
        tooMuch.Fields().ShouldBe(["tokens"]);
    }

    [Fact]
    public async Task Identity_OfKeysAndClaims_IsHttps()
    {
        await using var server = await GrpcServer.StartAsync(["--HeartGrains:Auth:AllowClaimedUser=false", .. TestKeys.Switches(Key, "hearts:read", "reader-only")]);
        var give = new GiveRequest { TargetId = "target", UserId = "ann" };
        await server.Hearts.GiveAsync(give).ShouldBeRefusedAsync(StatusCode.Unauthenticated, "CREDENTIALS_REQUIRED");
        await server.Hearts.GiveAsync(give, GrpcClient.Bearer("another key that nobody knows")).ShouldBeRefusedAsync(StatusCode.Unauthenticated, "INVALID_TOKEN");
        await server.Hearts.GiveAsync(give, GrpcClient.Bearer(Key)).ShouldBeRefusedAsync(StatusCode.PermissionDenied, "SCOPE_MISSING");
        await server.Hearts.GetAsync(new GetRequest { TargetId = "target", UserId = "ann" }).ShouldBeRefusedAsync(StatusCode.Unauthenticated, "CREDENTIALS_REQUIRED");
        await server.Hearts.UsersAsync(new UsersRequest { TargetId = "target" }).ShouldBeRefusedAsync(StatusCode.Unauthenticated, "CREDENTIALS_REQUIRED");
        await server.Hearts.AcquireQuotaAsync(new AcquireQuotaRequest { UserId = "ann", Tokens = 1 }).ShouldBeRefusedAsync(StatusCode.Unauthenticated, "CREDENTIALS_REQUIRED");

        (await server.Hearts.GetAsync(new GetRequest { TargetId = "target", UserId = "ann" }, GrpcClient.Bearer(Key))).Hearted.ShouldBeFalse();
        (await server.Hearts.UsersAsync(new UsersRequest { TargetId = "target" }, GrpcClient.Bearer(Key))).Users.ShouldBeEmpty();
        (await server.Hearts.GetAsync(new GetRequest { TargetId = "target" })).Count.ShouldBe(0);
    }

    [Fact]
    public async Task Identity_AKeyThatMayWrite_GivesForAnyUser()
    {
        await using var server = await GrpcServer.StartAsync(["--HeartGrains:Auth:AllowClaimedUser=false", .. TestKeys.Switches(Key, "hearts:write", "shop")]);
        (await server.Hearts.GiveAsync(new GiveRequest { TargetId = "target", UserId = "ann" }, GrpcClient.Bearer(Key))).Created.ShouldBeTrue();
        var nobody = await server.Hearts.GiveAsync(new GiveRequest { TargetId = "target" }, GrpcClient.Bearer(Key)).ShouldBeRefusedAsync(StatusCode.InvalidArgument, "INVALID_FIELDS");
        nobody.Fields().ShouldBe(["user_id"]);
    }

    [Fact]
    public async Task Identity_AUsersToken_IsTheUserAndNobodyElse()
    {
        await using var server = await GrpcServer.StartAsync([.. JwtServer.SettingsOf(TestSigner.SetOf(JwtServer.Ecdsa)), "--HeartGrains:Auth:AllowClaimedUser=false"]);
        var token = GrpcClient.Bearer(JwtServer.Ecdsa.Sign("ann", TimeProvider.System.GetUtcNow()));
        var given = await server.Hearts.GiveAsync(new GiveRequest { TargetId = "target" }, token);
        (given.UserId, given.Created).ShouldBe(("ann", true));
        (await server.Hearts.GetAsync(new GetRequest { TargetId = "target" }, token)).Hearted.ShouldBeTrue();
        (await server.Hearts.AcquireQuotaAsync(new AcquireQuotaRequest { Tokens = 1 }, token)).UserId.ShouldBe("ann");
        await server.Hearts.AcquireQuotaAsync(new AcquireQuotaRequest { UserId = "ben", Tokens = 1 }, token).ShouldBeRefusedAsync(StatusCode.PermissionDenied, "USER_MISMATCH");
        await server.Hearts.GiveAsync(new GiveRequest { TargetId = "target", UserId = "ben" }, token).ShouldBeRefusedAsync(StatusCode.PermissionDenied, "USER_MISMATCH");
        var forged = GrpcClient.Bearer(JwtServer.Hmac.Sign("ann", TimeProvider.System.GetUtcNow()));
        await server.Hearts.GiveAsync(new GiveRequest { TargetId = "target" }, forged).ShouldBeRefusedAsync(StatusCode.Unauthenticated, "INVALID_TOKEN");
    }

    [Fact]
    public async Task LocalLimits_OfAnAddress_CountBothInterfacesTogether()
    {
        await using var server = await GrpcServer.StartAsync("--HeartGrains:LocalLimits:Address:TokenLimit=3", "--HeartGrains:LocalLimits:Address:TokensPerPeriod=1", "--HeartGrains:LocalLimits:Address:ReplenishmentPeriod=01:00:00");
        await server.Http.ReadAsync("target");
        await server.Hearts.GetAsync(new GetRequest { TargetId = "target" });
        await server.Hearts.GetAsync(new GetRequest { TargetId = "target" });
        var refused = await server.Hearts.GetAsync(new GetRequest { TargetId = "target" }).ShouldBeRefusedAsync(StatusCode.ResourceExhausted, "QUOTA_EXCEEDED");
        refused.RetrySeconds().ShouldBeInRange(3_500, 3_600);
        refused.Rich().GetDetail<Google.Rpc.QuotaFailure>().Violations.ShouldHaveSingleItem().Subject.ShouldBe("policy:local-address");

        // However the path is written.
        using var spelled = await GrpcFrames.SendAsync(server.Url.ToString(), "/HEARTGRAINS.V1.hearts/get", GrpcFrames.Of(new GetRequest { TargetId = "target" }));
        GrpcFrames.StatusOf(spelled).ShouldBe(StatusCode.ResourceExhausted);
        await (await server.Http.ReadAsync("target")).ShouldBeProblemAsync(429, "quota-exceeded");
        (await server.Http.GetStringAsync("/metrics")).ShouldContain("heartgrains_request_seconds_count{route=\"grpc_get\",status=\"429\"}");
    }
}
