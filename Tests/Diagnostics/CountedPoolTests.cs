using HeartGrains.Diagnostics;
using Microsoft.Extensions.ObjectPool;
using Prometheus;

namespace HeartGrains.Tests.Diagnostics;

public sealed class CountedPoolTests
{
    [Fact]
    public void Rents_NobodyRented_AreZero() => Pool().Rents.ShouldBe((0, 0));

    [Fact]
    public void Get_EmptyPool_IsAMiss()
    {
        var pool = Pool();
        pool.Get().ShouldNotBeSameAs(pool.Get());
        pool.Rents.ShouldBe((0, 2));
    }

    [Fact]
    public void Get_AfterReturn_IsAHit()
    {
        var pool = Pool();
        var first = pool.Get();
        pool.Return(first);
        pool.Get().ShouldBeSameAs(first);
        pool.Rents.ShouldBe((1, 1));
    }

    [Fact]
    public void Get_MoreThanWereKept_IsAMissForTheRest()
    {
        var pool = Pool(maximumRetained: 2);
        foreach (var item in Enumerable.Range(0, 5).Select(_ => pool.Get()).ToList()) pool.Return(item);
        for (var i = 0; i < 5; i++) pool.Get();
        pool.Rents.ShouldBe((2, 8));
    }

    /// <summary>What the policy does not take back is made anew.</summary>
    [Fact]
    public void Return_RefusedByThePolicy_MakesTheNextAMiss()
    {
        var pool = new CountedPool<Item>(new Refusing(), maximumRetained: 10);
        pool.Return(pool.Get());
        pool.Get();
        pool.Rents.ShouldBe((0, 2));
    }

    [Fact]
    public void Rents_ByManyThreads_AreCountedExactly()
    {
        const int Threads = 2;
        const int Each = 2_000_000;
        var policy = new Counting();
        var pool = new CountedPool<Item>(policy, maximumRetained: Threads);
        using var together = new Barrier(Threads);
        var threads = Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
        {
            together.SignalAndWait(TestContext.Current.CancellationToken);
            for (var i = 0; i < Each; i++) pool.Return(pool.Get());
        })).ToList();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        policy.Made.ShouldBePositive();
        pool.Rents.ShouldBe(((Threads * Each) - policy.Made, policy.Made));
    }

    [Fact]
    public async Task ObservePool_AtEachScrape_ShowsZerosFirstAndNeverLess()
    {
        var rents = (Hits: 0L, Misses: 0L);
        new GrainMetrics().ObservePool("test", () => rents);
        (await ShownAsync()).ShouldBe(("0", "0"));
        rents = (41, 3);
        (await ShownAsync()).ShouldBe(("41", "3"));

        // A rent that was under way became a miss.
        rents = (40, 4);
        (await ShownAsync()).ShouldBe(("41", "4"));
    }

    private static async Task<(string Hits, string Misses)> ShownAsync()
    {
        using var text = new MemoryStream();
        await Metrics.DefaultRegistry.CollectAndExportAsTextAsync(text, TestContext.Current.CancellationToken);
        var lines = System.Text.Encoding.UTF8.GetString(text.ToArray()).Split('\n');
        return (Of("hit"), Of("miss"));

        string Of(string result) =>
            lines.Single(line => line.StartsWith($"heartgrains_pool_rents_total{{pool=\"test\",result=\"{result}\"}} ", StringComparison.Ordinal)).Split(' ')[1];
    }

    private static CountedPool<Item> Pool(int maximumRetained = 10) => new(new DefaultPooledObjectPolicy<Item>(), maximumRetained);

    private sealed class Item;

    private sealed class Counting : PooledObjectPolicy<Item>
    {
        private int _made;

        public int Made => _made;

        public override Item Create()
        {
            Interlocked.Increment(ref _made);
            return new();
        }

        public override bool Return(Item obj) => true;
    }

    private sealed class Refusing : PooledObjectPolicy<Item>
    {
        public override Item Create() => new();
        public override bool Return(Item obj) => false;
    }
}
