using HeartGrains.Resilience;
using HeartGrains.Tests.RateLimiting;
using Orleans.Runtime;

namespace HeartGrains.Tests.Resilience;

public sealed class BreakerHandGrainTests(QuotaCluster cluster) : IClassFixture<QuotaCluster>, IDisposable
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IBreakerHandGrain Grain => cluster.Grains.GetGrain<IBreakerHandGrain>(0);

    public void Dispose() => (cluster.Store.IsDown, cluster.Store.Until) = (false, Task.CompletedTask);

    /// <summary>Whoever followed the lost order has to see that the next one is news.</summary>
    [Fact]
    public async Task SetAsync_EarlierOrderWasNotStoredAndItsActivationIsGone_IsLaterAllTheSame()
    {
        await OrderAsync(Breakers.Ledger);
        cluster.Store.IsDown = true;
        var lost = await Grain.SetAsync(Closed(Breakers.Ledger, "the store is down"), Cancel);
        (await OrderAsync(Breakers.Ledger))!.Hand.ShouldBe(BreakerHand.ForcedClosed);
        await cluster.DeactivateAsync(Grain);
        cluster.Store.IsDown = false;
        (await OrderAsync(Breakers.Ledger))?.Reason.ShouldNotBe("the store is down");
        cluster.Time.Advance(TimeSpan.FromSeconds(1));

        (await Grain.SetAsync(new BreakerOrder(Breakers.Ledger, BreakerHand.Auto, 0, "it is up"), Cancel)).ShouldBeGreaterThan(lost);
    }

    /// <summary>A store that hangs may be why there is an order.</summary>
    [Fact]
    public async Task SetAsync_StoreHangs_IsSeenAtOnceAnsweredSoonAndStoredLater()
    {
        await Grain.GetAsync(cancellationToken: Cancel);
        var store = new TaskCompletionSource();
        cluster.Store.Until = store.Task;
        var setting = Grain.SetAsync(Closed(Breakers.Hearts, "the store hangs"), Cancel).AsTask();
        await UntilAsync(async () => (await OrderAsync(Breakers.Hearts))?.Reason == "the store hangs");
        setting.IsCompleted.ShouldBeFalse();
        cluster.Time.Advance(TimeSpan.FromMilliseconds(400));
        (await setting.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancel)).ShouldBe((await OrderAsync(Breakers.Hearts))!.Revision);

        var writes = Writes;
        store.SetResult();
        await UntilAsync(() => Task.FromResult(Writes > writes));
        await cluster.DeactivateAsync(Grain);
        (await OrderAsync(Breakers.Hearts))!.Reason.ShouldBe("the store hangs");
    }

    [Fact]
    public async Task SetAsync_AnotherActivationWrote_IsStoredAllTheSame()
    {
        await Grain.SetAsync(Closed(Breakers.Quota, "first"), Cancel);
        cluster.Store.Touch(Grain.GetGrainId());
        var revision = await Grain.SetAsync(Closed(Breakers.Quota, "second"), Cancel);
        await cluster.DeactivateAsync(Grain);
        var order = (await OrderAsync(Breakers.Quota))!;
        (order.Reason, order.Revision).ShouldBe(("second", revision));
    }

    /// <summary>What was stored comes when it can be read, beside what was set meanwhile, which is stored then.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OnActivateAsync_StoreDoesNotAnswer_StartsEmptyAndLoadsLater(bool hangs)
    {
        await Grain.SetAsync(Closed(Breakers.Quota, "stored"), Cancel);
        await cluster.DeactivateAsync(Grain);
        var store = new TaskCompletionSource();
        if (hangs) cluster.Store.Until = store.Task;
        else cluster.Store.IsDown = true;
        var reading = Grain.GetAsync(cancellationToken: Cancel).AsTask();
        await AdvanceUntilAsync(() => Task.FromResult(reading.IsCompleted));
        (await reading).ShouldBeEmpty();
        var setting = Grain.SetAsync(Closed(Breakers.Hearts, "meanwhile"), Cancel).AsTask();
        await AdvanceUntilAsync(() => Task.FromResult(setting.IsCompleted));
        (await OrderAsync(Breakers.Hearts))!.Reason.ShouldBe("meanwhile");

        var writes = Writes;
        cluster.Store.IsDown = false;
        store.SetResult();
        await AdvanceUntilAsync(async () => (await OrderAsync(Breakers.Quota))?.Reason == "stored" && Writes > writes);
        await cluster.DeactivateAsync(Grain);
        (await OrderAsync(Breakers.Hearts))!.Reason.ShouldBe("meanwhile");
        (await OrderAsync(Breakers.Quota))!.Reason.ShouldBe("stored");
    }

    [Fact]
    public async Task GetAsync_TimeIsOver_IsAutomaticAgainAlsoAfterALoad()
    {
        await Grain.SetAsync(Closed(Breakers.Hearts, "a drill"), Cancel);
        await cluster.DeactivateAsync(Grain);
        cluster.Time.Advance(TimeSpan.FromSeconds(20));
        var order = (await OrderAsync(Breakers.Hearts))!;
        (order.Hand, order.RemainingMillis).ShouldBe((BreakerHand.ForcedClosed, 40_000));
        cluster.Time.Advance(TimeSpan.FromSeconds(40));
        (await OrderAsync(Breakers.Hearts))!.Hand.ShouldBe(BreakerHand.Auto);
    }

    [Fact]
    public async Task SilosAsync_ASiloTold_ShowsIt()
    {
        var report = new BreakerReport(Breakers.Ledger, "open", true, 12, 0.75, TimeSpan.FromMilliseconds(900), 0.25, 3, "9 of 12 calls failed", TimeSpan.FromSeconds(2));
        await Grain.GetAsync(new SiloBreakers("http://127.0.0.1:8090", [report]), Cancel);
        var silo = (await Grain.SilosAsync(Cancel)).ShouldHaveSingleItem();
        silo.Silo.ShouldBe("http://127.0.0.1:8090");
        silo.Breakers.ShouldBe([report]);
    }

    private int Writes => cluster.Store.WritesOf(Grain.GetGrainId());

    private static BreakerOrder Closed(string breaker, string reason) => new(breaker, BreakerHand.ForcedClosed, 60_000, reason);

    private async Task<BreakerOrder?> OrderAsync(string breaker) => (await Grain.GetAsync(cancellationToken: Cancel)).SingleOrDefault(order => order.Breaker == breaker);

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition()) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, patience.Token);
    }

    private Task AdvanceUntilAsync(Func<Task<bool>> condition) => UntilAsync(async () =>
    {
        if (await condition()) return true;
        cluster.Time.Advance(TimeSpan.FromMilliseconds(50));
        return false;
    });
}
