using HeartGrains.Hearts;
using HeartGrains.Tests.Infrastructure;

namespace HeartGrains.Tests.Hearts;

/// <summary>A target with far more hearts than it may hold in memory stays exact, over every ledger.</summary>
public abstract class HeartGrainBoundTests
{
    private const int Users = 200;

    private protected abstract Task<HeartStore> OpenStoreAsync();

    [Theory]
    [InlineData(2, false, false)]
    [InlineData(3, true, false)]
    [InlineData(16, false, true)]
    [InlineData(16, true, true)]
    public async Task Calls_BeyondTheBound_StayExact(int limit, bool folds, bool forgets)
    {
        using var store = await OpenStoreAsync();
        await using var silo = await HeartSilo.StartAsync(store, ("Hearts:DedupeLimit", $"{limit}"));
        var target = silo.Target("post");
        var given = new Dictionary<string, HeartReceipt>();
        foreach (var receipts in await Task.WhenAll(Range(0, Users).Select(async user => (user, Receipt: await target.GiveAsync(user)))))
            given[receipts.user] = receipts.Receipt;
        await BetweenAsync();

        var withdrawn = await Task.WhenAll(Range(50, 100).Select(target.WithdrawAsync));
        withdrawn.ShouldAllBe(answer => answer.Outcome == HeartOutcome.Committed && answer.Changed);
        await BetweenAsync();
        (await Task.WhenAll(Range(50, 100).Select(target.WithdrawAsync))).ShouldAllBe(answer => !answer.Changed && answer.GivenAtMicros == 0);

        foreach (var again in await Task.WhenAll(Range(75, 100).Select(async user => (user, Receipt: await target.GiveAsync(user)))))
        {
            again.Receipt.Changed.ShouldBeTrue(again.user);
            again.Receipt.Id.ShouldBe(given[again.user].Id);
            again.Receipt.GivenAtMicros.ShouldBeGreaterThan(given[again.user].GivenAtMicros);
            given[again.user] = again.Receipt;
        }

        foreach (var user in Range(50, 75)) given.Remove(user);
        await BetweenAsync();
        foreach (var user in Range(0, Users + 20))
            (await target.ReadAsync(user)).ShouldBe(new HeartState(HeartOutcome.Committed, given.Count, Users + 75, given.ContainsKey(user)), user);
        await BetweenAsync();
        foreach (var (user, first) in given)
        {
            var repeat = await target.GiveAsync(user);
            repeat.ShouldBe(first with { Changed = false, Count = given.Count, Version = Users + 75, LedgerMillis = 0 }, user);
        }

        await silo.ShouldBeExactAsync("post");

        async Task BetweenAsync()
        {
            if (folds) await silo.Ledger.FoldAllAsync();
            if (forgets) await silo.ForgetAsync("post");
        }
    }

    [Fact]
    public async Task GiveAsync_OneForgottenUserAtOnce_AsksTheLedgerOnceAndIsOneEvent()
    {
        using var store = await OpenStoreAsync();
        await using var silo = await HeartSilo.StartAsync(store, ("Hearts:DedupeLimit", "2"));
        var target = silo.Target("post");
        foreach (var user in Range(0, 10)) await target.GiveAsync(user);
        var reads = 0;
        silo.Ledger.OnRead = async () =>
        {
            Interlocked.Increment(ref reads);
            await Task.Yield();
        };

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => target.GiveAsync("new")));

        answers.Count(answer => answer.Changed).ShouldBe(1);
        reads.ShouldBe(1);
        (await silo.ShouldBeExactAsync("post")).Length.ShouldBe(11);
    }

    [Fact]
    public async Task GiveAsync_LedgerCannotTell_IsRefusedForAllWhoWait()
    {
        using var store = await OpenStoreAsync();
        await using var silo = await HeartSilo.StartAsync(store, ("Hearts:DedupeLimit", "2"));
        var target = silo.Target("post");
        foreach (var user in Range(0, 10)) await target.GiveAsync(user);
        var reads = 0;
        silo.Ledger.OnRead = async () =>
        {
            Interlocked.Increment(ref reads);
            await Task.Yield();
            await HookedLedger.Refuse();
        };

        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => target.GiveAsync("u0")));

        answers.ShouldAllBe(answer => answer.Outcome == HeartOutcome.LedgerUnavailable);
        reads.ShouldBeLessThan(50);
        (await target.ReadAsync("u0")).Outcome.ShouldBe(HeartOutcome.LedgerUnavailable);
        silo.Ledger.OnRead = null;
        (await target.GiveAsync("u0")).Changed.ShouldBeFalse();
    }

    private static IEnumerable<string> Range(int from, int to) => Enumerable.Range(from, to - from).Select(number => $"u{number}");
}

public sealed class MemoryHeartGrainBoundTests : HeartGrainBoundTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => Task.FromResult(HeartStore.Memory());
}

public sealed class SqliteHeartGrainBoundTests : HeartGrainBoundTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => Task.FromResult(HeartStore.Sqlite());
}

public sealed class PostgresHeartGrainBoundTests(LocalPostgres server) : HeartGrainBoundTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => HeartStore.PostgresAsync(server);
}
