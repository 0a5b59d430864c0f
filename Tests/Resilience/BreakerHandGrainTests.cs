using HeartGrains.Resilience;
using HeartGrains.Tests.RateLimiting;
using Orleans.Storage;

namespace HeartGrains.Tests.Resilience;

public sealed class BreakerHandGrainTests(QuotaCluster cluster) : IClassFixture<QuotaCluster>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Whoever followed the lost order has to see that the next one is news.</summary>
    [Fact]
    public async Task SetAsync_EarlierOrderWasNotStoredAndItsActivationIsGone_IsLaterAllTheSame()
    {
        var grain = cluster.Grains.GetGrain<IBreakerHandGrain>(0);
        await grain.GetAsync(Cancel);
        cluster.Store.IsDown = true;
        long lost;
        try
        {
            lost = await grain.SetAsync(new BreakerOrder(Breakers.Ledger, BreakerHand.ForcedOpen, 60_000, "the store is down"), Cancel);
        }
        finally
        {
            cluster.Store.IsDown = false;
        }

        (await grain.GetAsync(Cancel)).Single(order => order.Breaker == Breakers.Ledger).Hand.ShouldBe(BreakerHand.ForcedOpen);
        await cluster.DeactivateAsync(grain);
        cluster.Time.Advance(TimeSpan.FromSeconds(1));

        (await grain.SetAsync(new BreakerOrder(Breakers.Ledger, BreakerHand.Auto, 0, "it is up"), Cancel)).ShouldBeGreaterThan(lost);
    }

    [Fact]
    public async Task SetAsync_AnotherActivationWrote_FailsOnceAndReloads()
    {
        var grain = cluster.Grains.GetGrain<IBreakerHandGrain>(0);
        var order = new BreakerOrder(Breakers.Quota, BreakerHand.ForcedOpen, 60_000, "a drill");
        await grain.SetAsync(order, Cancel);
        cluster.Store.Touch(grain.GetGrainId());
        await Should.ThrowAsync<InconsistentStateException>(async () => await grain.SetAsync(order, Cancel));
        await grain.SetAsync(order, Cancel);
    }

    [Fact]
    public async Task GetAsync_TimeIsOver_IsAutomaticAgainAlsoAfterALoad()
    {
        var grain = cluster.Grains.GetGrain<IBreakerHandGrain>(0);
        await grain.SetAsync(new BreakerOrder(Breakers.Hearts, BreakerHand.ForcedClosed, 60_000, "a drill"), Cancel);
        await cluster.DeactivateAsync(grain);
        cluster.Time.Advance(TimeSpan.FromSeconds(20));
        var order = (await grain.GetAsync(Cancel)).Single(order => order.Breaker == Breakers.Hearts);
        (order.Hand, order.RemainingMillis).ShouldBe((BreakerHand.ForcedClosed, 40_000));
        cluster.Time.Advance(TimeSpan.FromSeconds(40));
        (await grain.GetAsync(Cancel)).Single(order => order.Breaker == Breakers.Hearts).Hand.ShouldBe(BreakerHand.Auto);
    }
}
