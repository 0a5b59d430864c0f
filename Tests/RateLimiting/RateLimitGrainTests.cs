using HeartGrains.RateLimiting;
using Orleans.Storage;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

public sealed class RateLimitGrainTests(QuotaCluster cluster) : IClassFixture<QuotaCluster>, IAsyncLifetime
{
    private readonly string _user = Guid.NewGuid().ToString("N");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await cluster.EventuallyAsync(() => Grain().ReadAsync(["user"], Cancel).AsTask());

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task AcquireAsync_ShareSpent_RefusesAndSaysExactlyWhen()
    {
        var grain = Grain();
        (await SpendAsync(grain, 100)).ShouldBe(56);

        var refused = (await AcquireAsync(grain)).Verdicts[0];
        refused.ShouldBe(new QuotaVerdict(false, 0, 1072, 60_000, 56));

        cluster.Time.Advance(TimeSpan.FromMilliseconds(refused.RetryAfterMillis - 1));
        (await AcquireAsync(grain)).IsAcquired.ShouldBeFalse();
        cluster.Time.Advance(TimeSpan.FromMilliseconds(1));
        (await AcquireAsync(grain)).IsAcquired.ShouldBeTrue();
    }

    [Fact]
    public async Task AcquireAsync_TokensInHandOrRefused_WritesNothing()
    {
        var grain = Grain();
        var before = cluster.Store.WritesOf(grain.GetGrainId());
        (await SpendAsync(grain, 100)).ShouldBe(56);
        (cluster.Store.WritesOf(grain.GetGrainId()) - before).ShouldBe(6);
    }

    [Fact]
    public async Task AcquireAsync_WindowUnderAMinute_IsNotStored()
    {
        var grain = Grain();
        (await SpendAsync(grain, 100, policy: "brisk")).ShouldBe(6);
        cluster.Store.Holds(grain.GetGrainId()).ShouldBeFalse();
    }

    [Fact]
    public async Task AcquireAsync_AfterCrash_HandsOutNoTokenTwice()
    {
        var grain = Grain();
        (await SpendAsync(grain, 15)).ShouldBe(15);
        await CrashAsync(grain);
        (await SpendAsync(grain, 100)).ShouldBe(36);
    }

    [Fact]
    public async Task AcquireAsync_WindowAfterCrash_HandsOutNoPermitTwice()
    {
        var grain = Grain();
        (await SpendAsync(grain, 15, policy: "window")).ShouldBe(15);
        await CrashAsync(grain);
        (await SpendAsync(grain, 100, policy: "window")).ShouldBe(10);
    }

    [Fact]
    public async Task AcquireAsync_AfterGracefulDeactivation_ForfeitsNothing()
    {
        var grain = Grain();
        (await SpendAsync(grain, 15)).ShouldBe(15);
        await cluster.DeactivateAsync(grain);
        (await SpendAsync(grain, 100)).ShouldBe(41);
    }

    [Theory]
    [InlineData("user", 56, 28)]
    [InlineData("window", 30, 0)]
    public async Task AcquireAsync_LoadedAWhileAfterTheLastWrite_HasWhatCameBackSince(string policy, int limit, int expected)
    {
        var grain = Grain();
        (await SpendAsync(grain, limit, policy)).ShouldBe(limit);
        await CrashAsync(grain);
        await cluster.AdvanceAsync(TimeSpan.FromSeconds(30) + QuotaCluster.MaxClockSkew);
        (await grain.ReadAsync([policy], Cancel))[0].Remaining.ShouldBeInRange(expected - 1, expected + 1);
    }

    [Theory]
    [InlineData("user", 56, 6)]
    [InlineData("window", 30, 7)]
    public async Task AcquireAsync_CalledSoRarelyThatItIsLoadedEachTime_GetsEverythingBackAfterItsWindow(string policy, int limit, int calls)
    {
        var grain = Grain();
        (await SpendAsync(grain, limit, policy)).ShouldBe(limit);
        for (var call = 1; call <= calls; call++)
        {
            await cluster.DeactivateAsync(grain);
            await cluster.AdvanceAsync(TimeSpan.FromSeconds(12));
            var all = await grain.AcquireAsync([new QuotaClaim(policy, limit)], Cancel);
            all.IsAcquired.ShouldBe(call == calls);
        }
    }

    [Fact]
    public async Task OnDeactivate_WholeAgain_LeavesNoRow()
    {
        var grain = Grain();
        (await SpendAsync(grain, 5)).ShouldBe(5);
        cluster.Store.Holds(grain.GetGrainId()).ShouldBeTrue();

        await cluster.AdvanceAsync(TimeSpan.FromMinutes(1));
        await cluster.DeactivateAsync(grain);
        cluster.Store.Holds(grain.GetGrainId()).ShouldBeFalse();
        (await SpendAsync(grain, 100)).ShouldBe(56);
    }

    [Fact]
    public async Task AcquireAsync_StoreDown_IsAnErrorAndNoRefusal()
    {
        var grain = Grain();
        (await SpendAsync(grain, 10)).ShouldBe(10);
        cluster.Store.IsDown = true;
        await Should.ThrowAsync<Exception>(() => AcquireAsync(grain));
        cluster.Store.IsDown = false;
        (await SpendAsync(grain, 100)).ShouldBe(46);
    }

    [Fact]
    public async Task AcquireAsync_AnotherActivationWrote_FailsOnceAndReloads()
    {
        var grain = Grain();
        (await SpendAsync(grain, 10)).ShouldBe(10);
        cluster.Store.Touch(grain.GetGrainId());
        await Should.ThrowAsync<InconsistentStateException>(() => AcquireAsync(grain));
        (await SpendAsync(grain, 100)).ShouldBe(46);
    }

    [Fact]
    public async Task AcquireAsync_LeaseOfTheSeatsEndsWhileTheStoreWrites_GivesNothing()
    {
        var grain = Grain();

        // A lease that lapsed has just been renewed when the grain answers again.
        cluster.Store.OnlyFor = grain.GetGrainId();
        cluster.Time.Advance(TimeSpan.FromSeconds(16));
        cluster.Store.OnlyFor = null;
        await cluster.EventuallyAsync(() => grain.ReadAsync(["user"], Cancel).AsTask());

        var wrote = false;
        cluster.Store.OnlyFor = grain.GetGrainId();
        cluster.Store.OnWrite = _ =>
        {
            wrote = true;
            cluster.Time.Advance(TimeSpan.FromSeconds(7));
        };
        try
        {
            // Most of the lease is over, and the seats cannot be asked; the reservation would last longer than what is left.
            cluster.Time.Advance(TimeSpan.FromSeconds(10));
            (await Should.ThrowAsync<InvalidOperationException>(() => AcquireAsync(grain))).Message.ShouldContain("How many gateways");
            wrote.ShouldBeTrue();
        }
        finally
        {
            (cluster.Store.OnWrite, cluster.Store.OnlyFor) = (null, null);
        }
    }

    [Fact]
    public async Task AcquireAsync_OneOfTwoPoliciesSpent_TakesNothing()
    {
        var grain = Grain();
        (await SpendAsync(grain, 30, policy: "window")).ShouldBe(30);
        var decision = await grain.AcquireAsync([new QuotaClaim("user", 1), new QuotaClaim("window", 1)], Cancel);
        decision.IsAcquired.ShouldBeFalse();
        decision.Verdicts[0].IsWithin.ShouldBeTrue();
        decision.Verdicts[1].IsWithin.ShouldBeFalse();
        (await grain.ReadAsync(["user"], Cancel))[0].Remaining.ShouldBe(56);
    }

    [Fact]
    public async Task AcquireAsync_ShadowPolicySpent_StandsInNobodysWay()
    {
        var grain = Grain();
        for (var call = 0; call < 10; call++)
        {
            var decision = await grain.AcquireAsync([new QuotaClaim("user", 1), new QuotaClaim("watching", 1)], Cancel);
            decision.IsAcquired.ShouldBeTrue();
            decision.Verdicts[1].IsWithin.ShouldBe(call < 2);
        }
    }

    [Fact]
    public async Task ReturnAsync_TokensOfThisActivation_AreThereAgain()
    {
        var grain = Grain();
        var taken = await grain.AcquireAsync([new QuotaClaim("user", 20)], Cancel);
        await grain.ReturnAsync([new QuotaClaim("user", 20)], taken.Receipt);
        await cluster.EventuallyAsync(async () =>
        {
            if ((await grain.ReadAsync(["user"], Cancel))[0].Remaining != 56) throw new InvalidOperationException("not there yet");
        });

        taken = await grain.AcquireAsync([new QuotaClaim("user", 20)], Cancel);
        await cluster.DeactivateAsync(grain);
        await grain.ReturnAsync([new QuotaClaim("user", 20)], taken.Receipt);
        (await grain.ReadAsync(["user"], Cancel))[0].Remaining.ShouldBe(36);
    }

    [Fact]
    public async Task ResetAsync_SpentQuota_IsWholeAndLeavesNoRow()
    {
        var grain = Grain();
        (await SpendAsync(grain, 100)).ShouldBe(56);
        await grain.ResetAsync(Cancel);
        cluster.Store.Holds(grain.GetGrainId()).ShouldBeFalse();
        (await SpendAsync(grain, 100)).ShouldBe(56);
    }

    [Fact]
    public async Task AcquireAsync_PolicyTheSiloDoesNotHave_IsNotJudged()
    {
        var decision = await Grain().AcquireAsync([new QuotaClaim("gone", 1)], Cancel);
        decision.IsAcquired.ShouldBeTrue();
        decision.Verdicts[0].ShouldBe(QuotaVerdict.Unknown);
    }

    [Fact]
    public async Task AcquireAsync_KeyWithoutPrefix_IsRejected() =>
        await Should.ThrowAsync<Exception>(() => AcquireAsync(cluster.Grains.GetGrain<IRateLimitGrain>("020235")));

    [Fact]
    public async Task AcquireAsync_NoTokens_IsRejected() =>
        await Should.ThrowAsync<ArgumentOutOfRangeException>(async () => await Grain().AcquireAsync([new QuotaClaim("user", 0)], Cancel));

    [Fact]
    public async Task AcquireAsync_MoreThanTheShare_NeverFits() =>
        (await Grain().AcquireAsync([new QuotaClaim("user", 57)], Cancel)).Verdicts[0].RetryAfterMillis.ShouldBe(long.MaxValue);

    private IRateLimitGrain Grain() => cluster.Grains.GetGrain<IRateLimitGrain>(QuotaKey.Of(QuotaDimension.User, _user));

    private async Task CrashAsync(IRateLimitGrain grain)
    {
        cluster.Store.IsDown = true;
        await cluster.DeactivateAsync(grain);
        cluster.Store.IsDown = false;
    }

    private static Task<QuotaDecision> AcquireAsync(IRateLimitGrain grain, string policy = "user") =>
        grain.AcquireAsync([new QuotaClaim(policy, 1)], Cancel).AsTask();

    private static async Task<int> SpendAsync(IRateLimitGrain grain, int calls, string policy = "user")
    {
        var admitted = 0;
        for (var call = 0; call < calls; call++)
            if ((await AcquireAsync(grain, policy)).IsAcquired) admitted++;
        return admitted;
    }
}
