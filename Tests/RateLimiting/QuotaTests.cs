using HeartGrains.Gateway.RateLimiting;
using HeartGrains.RateLimiting;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

/// <summary>A gateway's part of the quotas, over the real grain.</summary>
public sealed class QuotaTests(QuotaCluster cluster) : IClassFixture<QuotaCluster>, IAsyncLifetime
{
    private readonly string _user = Guid.NewGuid().ToString("N");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await cluster.EventuallyAsync(
        () => cluster.Grains.GetGrain<IRateLimitGrain>(QuotaKey.Of(QuotaDimension.User, _user)).ReadAsync(["user"], Cancel).AsTask());

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Acquire_TwoSeatedGateways_AdmitTheLimitTogether()
    {
        Quota[] gateways = [Gateway(0), Gateway(1), Gateway(-1)];
        var admitted = 0;
        QuotaJudgement last = default;
        for (var call = 0; call < 100; call++)
        {
            last = await gateways[call % 3].AcquireAsync(new QuotaKeys(_user), Cancel);
            if (last.Status == QuotaStatus.Admitted) admitted++;
        }

        admitted.ShouldBe(60);
        last = await gateways[0].AcquireAsync(new QuotaKeys(_user), Cancel);
        last.Status.ShouldBe(QuotaStatus.Refused);
        last.RetryAfterMillis.ShouldBe(1072);
    }

    [Fact]
    public async Task Acquire_MoreThanSliceAndGrainHoldApart_TakesFromBothOrNeither()
    {
        var gateway = Gateway(0);
        (await gateway.AcquireAsync(new QuotaKeys(_user), 59, Cancel)).Status.ShouldBe(QuotaStatus.Refused);
        (await gateway.AcquireAsync(new QuotaKeys(_user), 57, Cancel)).Status.ShouldBe(QuotaStatus.Admitted);
        (await gateway.AcquireAsync(new QuotaKeys(_user), 1, Cancel)).Status.ShouldBe(QuotaStatus.Admitted);
        (await gateway.AcquireAsync(new QuotaKeys(_user), 1, Cancel)).Status.ShouldBe(QuotaStatus.Refused);
    }

    [Fact]
    public async Task Acquire_CostsMoreThanEitherHolds_SaysWhenBothTogetherDo()
    {
        var gateway = Gateway(0);
        (await gateway.AcquireAsync(new QuotaKeys(_user), 58, Cancel)).Status.ShouldBe(QuotaStatus.Admitted);
        var refused = await gateway.AcquireAsync(new QuotaKeys(_user), 57, Cancel);
        refused.Status.ShouldBe(QuotaStatus.Refused);
        refused.RetryAfterMillis.ShouldBeInRange(58_900, 60_000);

        await cluster.AdvanceAsync(TimeSpan.FromMilliseconds(refused.RetryAfterMillis));
        (await gateway.AcquireAsync(new QuotaKeys(_user), 57, Cancel)).Status.ShouldBe(QuotaStatus.Admitted);
    }

    [Fact]
    public async Task Acquire_UserSpent_TakesNothingOfWhatOthersShare()
    {
        var gateway = Gateway(-1, Policies.User, QuotaCluster.Target);
        var target = Guid.NewGuid().ToString("N");
        (await gateway.AcquireAsync(new QuotaKeys(_user), 56, Cancel)).Status.ShouldBe(QuotaStatus.Admitted);
        var refused = await gateway.AcquireAsync(new QuotaKeys(_user, TargetId: target), Cancel);
        refused.Status.ShouldBe(QuotaStatus.Refused);
        refused.Asks!.ShouldHaveSingleItem().Dimension.ShouldBe(QuotaDimension.User);
        (await gateway.AcquireAsync(new QuotaKeys(null, TargetId: target), 36, Cancel)).Status.ShouldBe(QuotaStatus.Admitted);
    }

    [Fact]
    public async Task Return_CallFailedForOurFault_GoesBackToSliceAndGrain()
    {
        var gateway = Gateway(0);
        var judgement = await gateway.AcquireAsync(new QuotaKeys(_user), 58, Cancel);
        judgement.Status.ShouldBe(QuotaStatus.Admitted);
        gateway.Return(judgement);
        await cluster.EventuallyAsync(async () =>
        {
            var again = await gateway.AcquireAsync(new QuotaKeys(_user), 58, Cancel);
            if (again.Status != QuotaStatus.Admitted) throw new InvalidOperationException("not there yet");
        });
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(0, 3)]
    public void Show_PolicyRefusesAndAnotherHoldsNoMore_ShowsTheOneThatRefuses(int refusing, long remaining)
    {
        var set = Policies.Prepared(cluster.Time, 0, Policies.User, Policies.User with { Name = "other" });
        var judgement = new QuotaJudgement(set, new QuotaKeys(_user), tokens: 5);
        foreach (var policy in set.Policies)
            judgement.Show(policy, policy.Index == refusing ? remaining : 0, resetMillis: 1_000, isRefusing: policy.Index == refusing);
        judgement.Tightest.ShouldBeSameAs(set.Policies[refusing]);
    }

    private Quota Gateway(int seat) => Gateway(seat, Policies.User);

    private Quota Gateway(int seat, params QuotaPolicy[] policies)
    {
        var set = Policies.Prepared(cluster.Time, seat, policies);
        var slices = new QuotaSlices(1_000, cluster.Time);
        if (seat >= 0) slices.Extend(set.Policies[0].Term, long.MaxValue);
        return new Quota(slices, GrainCallsOver.Grains(cluster.Grains, cluster.Time), cluster.Time, NullLogger<Quota>.Instance) { Set = set };
    }
}
