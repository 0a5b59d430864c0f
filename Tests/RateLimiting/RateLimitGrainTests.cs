using HeartGrains.Gateway.RateLimiting;
using HeartGrains.RateLimiting;
using Orleans.Storage;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

public sealed class RateLimitGrainTests(QuotaCluster cluster) : IClassFixture<QuotaCluster>
{
    private readonly string _user = Guid.NewGuid().ToString("N");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AcquireAsync_ShareSpent_RefusesAndSaysExactlyWhen()
    {
        var grain = Grain();
        (await SpendAsync(grain, 100)).ShouldBe(56);

        var refused = await grain.AcquireAsync(1, Cancel);
        refused.IsAcquired.ShouldBeFalse();
        refused.Remaining.ShouldBe(0);
        refused.RetryAfterMillis.ShouldBe(1072);

        cluster.Time.Advance(TimeSpan.FromMilliseconds(refused.RetryAfterMillis - 1));
        (await grain.AcquireAsync(1, Cancel)).IsAcquired.ShouldBeFalse();
        cluster.Time.Advance(TimeSpan.FromMilliseconds(1));
        (await grain.AcquireAsync(1, Cancel)).IsAcquired.ShouldBeTrue();
    }

    [Fact]
    public async Task AcquireAsync_TokensInHandOrRefused_WritesNothing()
    {
        var grain = Grain();
        var before = cluster.Store.Writes;
        (await SpendAsync(grain, 100)).ShouldBe(56);
        (cluster.Store.Writes - before).ShouldBe(6);
    }

    [Fact]
    public async Task AcquireAsync_AfterCrash_HandsOutNoTokenTwice()
    {
        var grain = Grain();
        (await SpendAsync(grain, 15)).ShouldBe(15);

        cluster.Store.IsDown = true;
        await cluster.DeactivateAsync(grain);
        cluster.Store.IsDown = false;

        (await SpendAsync(grain, 100)).ShouldBe(36);
    }

    [Fact]
    public async Task AcquireAsync_AfterGracefulDeactivation_ForfeitsNothing()
    {
        var grain = Grain();
        (await SpendAsync(grain, 15)).ShouldBe(15);
        await cluster.DeactivateAsync(grain);
        (await SpendAsync(grain, 100)).ShouldBe(41);
    }

    [Fact]
    public async Task OnDeactivate_BucketFullAgain_LeavesNoRow()
    {
        var grain = Grain();
        (await SpendAsync(grain, 5)).ShouldBe(5);
        cluster.Store.Holds(grain.GetGrainId()).ShouldBeTrue();

        cluster.Time.Advance(TimeSpan.FromMinutes(1));
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
        await Should.ThrowAsync<Exception>(async () => await grain.AcquireAsync(1, Cancel));
        cluster.Store.IsDown = false;
        (await SpendAsync(grain, 100)).ShouldBe(46);
    }

    [Fact]
    public async Task AcquireAsync_AnotherActivationWrote_FailsOnceAndReloads()
    {
        var grain = Grain();
        (await SpendAsync(grain, 10)).ShouldBe(10);
        cluster.Store.Touch(grain.GetGrainId());
        await Should.ThrowAsync<InconsistentStateException>(async () => await grain.AcquireAsync(1, Cancel));
        (await SpendAsync(grain, 100)).ShouldBe(46);
    }

    [Fact]
    public async Task AcquireAsync_KeyWithoutPrefix_IsRejected() =>
        await Should.ThrowAsync<Exception>(async () => await cluster.Grains.GetGrain<IRateLimitGrain>("020235").AcquireAsync(1, Cancel));

    [Theory]
    [InlineData(0)]
    [InlineData(57)]
    public async Task AcquireAsync_TokensNoBucketHolds_IsRejected(int tokens) =>
        await Should.ThrowAsync<ArgumentOutOfRangeException>(async () => await Grain().AcquireAsync(tokens, Cancel));

    [Fact]
    public async Task ClusterQuota_TwoSeatedGateways_AdmitTheLimitTogether()
    {
        var seats = cluster.Grains.GetGrain<IGatewaySeatsGrain>(0);
        var gateways = new List<ClusterQuota>();
        for (var i = 0; i < 3; i++)
        {
            var calledAt = cluster.Time.GetTimestamp();
            var seat = await seats.RenewAsync(Guid.NewGuid(), Cancel);
            seat.SliceTokens.ShouldBe(i < 2 ? 2 : 0);
            var slices = new QuotaSlices(1_000, cluster.Time);
            slices.Grant(
                QuotaShare.Of(seat.SliceTokens, seat.TokenLimit, seat.TokensPerSecond, cluster.Time.TimestampFrequency),
                calledAt + seat.LeaseSeconds * cluster.Time.TimestampFrequency);
            gateways.Add(new ClusterQuota(slices, GrainCallsOver.Grains(cluster.Grains, cluster.Time), cluster.Time));
        }

        var admitted = 0;
        for (var call = 0; call < 100; call++)
            if ((await gateways[call % 3].AcquireAsync(_user, Cancel)).IsAcquired) admitted++;
        admitted.ShouldBe(60);
        (await gateways[0].AcquireAsync(_user, Cancel)).RetryAfterMillis.ShouldBe(1072);
    }

    private IRateLimitGrain Grain() => cluster.Grains.GetGrain<IRateLimitGrain>(RateLimitGrain.KeyPrefix + _user);

    private static async Task<int> SpendAsync(IRateLimitGrain grain, int calls)
    {
        var admitted = 0;
        for (var call = 0; call < calls; call++)
            if ((await grain.AcquireAsync(1, Cancel)).IsAcquired) admitted++;
        return admitted;
    }
}
