using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Live;
using HeartGrains.Moderation;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.Moderation;

public sealed class MemoryTargetRuleTests : TargetRuleTests
{
    private protected override Task<HeartStore> OpenAsync() => Task.FromResult(HeartStore.Memory());
}

public sealed class SqliteTargetRuleTests : TargetRuleTests
{
    private protected override Task<HeartStore> OpenAsync() => Task.FromResult(HeartStore.Sqlite());
}

public sealed class PostgresTargetRuleTests(LocalPostgres server) : TargetRuleTests
{
    private protected override Task<HeartStore> OpenAsync() => HeartStore.PostgresAsync(server);
}

/// <summary>What a target's grain does of operators' orders, over each ledger.</summary>
public abstract class TargetRuleTests : IAsyncLifetime
{
    private static readonly HeartOrigin Operator = new("key:operator");
    private static readonly HeartOrigin Moving = new("key:operator", null, HeartCause.Moved, "j1");
    private HeartStore _store = null!;
    private HeartSilo _silo = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _silo = await HeartSilo.StartAsync(_store = await OpenAsync());

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        _store.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task FreezeAsync_TargetWithHearts_RefusesUsersAndLetsJobsAndReadersPass()
    {
        var target = _silo.Target("t");
        await target.GiveAsync("ann");

        (await Rule("t").FreezeAsync(true, "a reason", Operator, Cancellation)).ShouldBe(new RuleReceipt(HeartOutcome.Committed, true, RuleRefusal.None, true));
        (await target.GiveAsync("ben")).Outcome.ShouldBe(HeartOutcome.Frozen);
        (await target.GiveAsync("ann")).Outcome.ShouldBe(HeartOutcome.Frozen);
        (await target.WithdrawAsync("ann")).Outcome.ShouldBe(HeartOutcome.Frozen);
        (await target.ReadAsync("ann")).ShouldBe(new HeartState(HeartOutcome.Committed, 1, 1, true));
        (await target.Grain.WithdrawAsync("ann", new HeartOrigin("system", null, HeartCause.Erased), Cancellation)).Changed.ShouldBeTrue();

        (await Rule("t").FreezeAsync(true, "again", Operator, Cancellation)).Changed.ShouldBeFalse();
        (await Rule("t").FreezeAsync(false, "over", Operator, Cancellation)).ShouldBe(new RuleReceipt(HeartOutcome.Committed, true));
        (await target.GiveAsync("ben")).Changed.ShouldBeTrue();
        await _silo.ShouldBeExactAsync("t");
    }

    [Fact]
    public async Task FreezeAsync_ActivationGone_TheNextOneReadsIt()
    {
        await _silo.Target("t").GiveAsync("ann");
        await Rule("t").FreezeAsync(true, "a reason", Operator, Cancellation);
        await _silo.ForgetAsync("t");

        (await _silo.Target("t").GiveAsync("ben")).Outcome.ShouldBe(HeartOutcome.Frozen);
    }

    [Fact]
    public async Task FreezeAsync_TargetNeverSeen_IsFrozenAndKeepsNoActivation()
    {
        await Rule("t").FreezeAsync(true, "a reason", Operator, Cancellation);
        await HeartSilo.UntilAsync(async () => !await _silo.IsActiveAsync("t"));

        (await _silo.Target("t").GiveAsync("ann")).Outcome.ShouldBe(HeartOutcome.Frozen);
    }

    [Fact]
    public async Task FreezeAsync_WhileTheTargetIsRead_HoldsThoughTheSnapshotIsOlder()
    {
        await _silo.Target("t").GiveAsync("ann");
        await _silo.ForgetAsync("t");
        var read = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _silo.Ledger.OnLoaded = () =>
        {
            read.TrySetResult();
            return goOn.Task;
        };
        var giving = _silo.Target("t").GiveAsync("ben");
        await read.Task.WaitAsync(Cancellation);

        await Rule("t").FreezeAsync(true, "a reason", Operator, Cancellation);
        _silo.Ledger.OnLoaded = null;
        goOn.SetResult();

        (await giving).Outcome.ShouldBe(HeartOutcome.Frozen);
    }

    [Fact]
    public async Task RedirectAsync_HeartsOnBothSides_OldNameAnswersForTheNewOne()
    {
        var (from, to) = (_silo.Target("from"), _silo.Target("to"));
        foreach (var user in (string[])["ann", "ben"]) await from.GiveAsync(user);
        await to.GiveAsync("ben");

        (await Rule("from").RedirectAsync("to", "a reason", Operator, Cancellation)).ShouldBe(new RuleReceipt(HeartOutcome.Committed, true, RuleRefusal.None, false, "to"));
        (await from.GiveAsync("cid")).ShouldSatisfyAllConditions(given => given.Count.ShouldBe(2), given => given.Version.ShouldBe(4), given => given.Changed.ShouldBeTrue());
        (await from.ReadAsync("ann")).ShouldBe(new HeartState(HeartOutcome.Committed, 2, 4, true));

        foreach (var user in (string[])["ann", "ben", "cid"]) (await Rule("from").MoveHeartAsync(user, Moving, Cancellation)).Outcome.ShouldBe(HeartOutcome.Committed);
        for (var time = 0; time < 2; time++)
        {
            (await to.ReadAsync("ann")).ShouldBe(new HeartState(HeartOutcome.Committed, 3, 3, true));
            (await from.ReadAsync("ann")).ShouldBe(new HeartState(HeartOutcome.Committed, 3, 7, true));
            await _silo.ForgetAsync("from");
        }

        (await from.WithdrawAsync("ann")).ShouldSatisfyAllConditions(taken => taken.Changed.ShouldBeTrue(), taken => taken.Count.ShouldBe(2));
        (await to.ReadAsync("ann")).Hearted.ShouldBe(false);
        (await _silo.ShouldBeExactOfLogAsync("from")).Length.ShouldBe(4);
        (await _silo.ShouldBeExactAsync("to")).Where(row => row.UserId == "ann").Select(row => row.Origin?.Cause ?? HeartCause.User).ShouldBe([HeartCause.Moved, HeartCause.User]);
    }

    [Fact]
    public async Task WithdrawAsync_OldNameBeforeTheHeartIsMoved_IsNotMovedAfterwards()
    {
        var (from, to) = (_silo.Target("from"), _silo.Target("to"));
        await from.GiveAsync("ann");
        await Rule("from").RedirectAsync("to", "a reason", Operator, Cancellation);

        (await from.WithdrawAsync("ann")).Changed.ShouldBeTrue();
        (await Rule("from").MoveHeartAsync("ann", Moving, Cancellation)).Changed.ShouldBeFalse();

        (await to.ReadAsync("ann")).ShouldBe(new HeartState(HeartOutcome.Committed, 0, 0, false));
    }

    [Fact]
    public async Task WithdrawAsync_WhileTheHeartIsMoved_TakesItBackWhereItWent()
    {
        var (from, to) = (_silo.Target("from"), _silo.Target("to"));
        await from.GiveAsync("ann");
        await Rule("from").RedirectAsync("to", "a reason", Operator, Cancellation);
        var gate = _silo.Ledger.Close();
        var moving = Rule("from").MoveHeartAsync("ann", Moving, Cancellation).AsTask();
        await gate.Reached;

        var withdrawing = from.WithdrawAsync("ann");
        gate.Open();

        (await moving).Outcome.ShouldBe(HeartOutcome.Committed);
        (await withdrawing).Outcome.ShouldBe(HeartOutcome.Committed);
        (await to.ReadAsync("ann")).ShouldSatisfyAllConditions(state => state.Hearted.ShouldBe(false), state => state.Count.ShouldBe(0));
        (await from.ReadAsync("ann")).Hearted.ShouldBe(false);
    }

    [Fact]
    public async Task RedirectAsync_Chain_LeadsThroughAndCountsAllVersions()
    {
        await _silo.Target("a").GiveAsync("ann");
        await Rule("a").RedirectAsync("b", "a reason", Operator, Cancellation);
        await Rule("a").MoveHeartAsync("ann", Moving, Cancellation);
        await Rule("b").RedirectAsync("c", "a reason", Operator, Cancellation);
        await Rule("b").MoveHeartAsync("ann", Moving, Cancellation);

        (await _silo.Target("a").GiveAsync("ben")).ShouldSatisfyAllConditions(given => given.Count.ShouldBe(2), given => given.Version.ShouldBe(6));
        (await _silo.Target("a").ReadAsync("ann")).ShouldBe(new HeartState(HeartOutcome.Committed, 2, 6, true));
        (await Rule("c").RedirectAsync("a", "a reason", Operator, Cancellation)).Refusal.ShouldBe(RuleRefusal.Cycle);
    }

    [Fact]
    public async Task TakeOpeningAsync_MovedTarget_AddsItOnceAndTheOldNameHasNone()
    {
        var (from, to) = (_silo.Target("from"), _silo.Target("to"));
        await from.SetOpeningAsync(30);
        await to.SetOpeningAsync(4);
        await Rule("from").RedirectAsync("to", "a reason", Operator, Cancellation);

        for (var time = 0; time < 2; time++) (await Rule("to").TakeOpeningAsync("from", "one post", new HeartOrigin("key:operator"), Cancellation)).Outcome.ShouldBe(HeartOutcome.Committed);

        (await from.ReadAsync()).Opening.ShouldBe(34);
        (await to.ReadAsync()).Opening.ShouldBe(34);
        (await from.SetOpeningAsync(1)).Outcome.ShouldBe(HeartOutcome.Moved);
    }

    [Fact]
    public async Task BlockAsync_UserBlocked_MayTakeBackAndNotGiveUntilItIsOver()
    {
        var target = _silo.Target("t");
        await target.GiveAsync("ann");
        var until = Now() + 3_600_000_000;

        (await Desk.BlockAsync("ann", until, "a reason", Operator, Cancellation)).ShouldBe(new BlockReceipt(HeartOutcome.Committed, true, RuleRefusal.None, until));
        var refused = await target.GiveAsync("ann");
        (refused.Outcome, refused.GivenAtMicros).ShouldBe((HeartOutcome.Blocked, until));
        (await target.WithdrawAsync("ann")).Changed.ShouldBeTrue();
        (await target.GiveAsync("ben")).Changed.ShouldBeTrue();
        (await target.Grain.GiveAsync("ann", new HeartOrigin("system", null, HeartCause.Released), Cancellation)).Changed.ShouldBeTrue();
        (await Desk.BlocksAsync(0, 10, Cancellation)).Users.Select(user => (user.UserId, user.UntilMicros, user.Reason, user.Actor)).ShouldBe([("ann", until, "a reason", "key:operator")]);

        await Desk.BlockAsync("ann", 0, "over", Operator, Cancellation);
        await target.WithdrawAsync("ann");
        (await target.GiveAsync("ann")).Changed.ShouldBeTrue();
    }

    [Fact]
    public async Task BlockAsync_TimeIsOver_UserGivesAgain()
    {
        await Desk.BlockAsync("ann", Now() + 3_000_000, "a reason", Operator, Cancellation);
        (await _silo.Target("t").GiveAsync("ann")).Outcome.ShouldBe(HeartOutcome.Blocked);

        await HeartSilo.UntilAsync(async () => (await _silo.Target("t").GiveAsync("ann")).Outcome == HeartOutcome.Committed);
        await _silo.Services.GetRequiredService<BlockList>().RefreshAsync(Cancellation);
        _silo.Services.GetRequiredService<BlockList>().IsAny.ShouldBeFalse();
    }

    [Fact]
    public async Task BlockList_OrderTakenElsewhere_IsHeardOf()
    {
        // As another silo writes it: past this one's memory.
        var moderator = _silo.Services.GetRequiredService<Moderator>();
        var user = _silo.Keys.OfUser("ann");
        await moderator.Store.BlockAsync(user, Now() + 3_600_000_000, moderator.Decide("blocked", "a reason", Operator, null, "ann"), Cancellation);

        await HeartSilo.UntilAsync(async () => (await _silo.Target("t").GiveAsync("ann")).Outcome == HeartOutcome.Blocked);
        await moderator.Store.BlockAsync(user, 0, moderator.Decide("unblocked", "a reason", Operator, null, "ann"), Cancellation);
        await HeartSilo.UntilAsync(async () => (await _silo.Target("t").GiveAsync("ann")).Outcome == HeartOutcome.Committed);
    }

    [Fact]
    public async Task WatchAsync_OldName_IsToldOfHeartsOfTheNewOneAtOnce()
    {
        var (from, to) = (_silo.Target("from"), _silo.Target("to"));
        foreach (var user in (string[])["ann", "ben"]) await from.GiveAsync(user);
        var watcher = new Watcher();
        var observer = _silo.Grains.CreateObjectReference<ILiveObserver>(watcher);
        (await from.Grain.WatchAsync(observer, Cancellation)).Count.ShouldBe(2);

        await Rule("from").RedirectAsync("to", "a reason", Operator, Cancellation);
        await HeartSilo.UntilAsync(() => Task.FromResult(watcher.Lost.Contains("from")));
        (await from.Grain.WatchAsync(observer, Cancellation)).ShouldBe(new HeartState(HeartOutcome.Committed, 0, 2, null));
        await to.GiveAsync("cid");

        await HeartSilo.UntilAsync(() => Task.FromResult(watcher.Last == new LiveUpdate("from", 1, 3)));
        await from.Grain.UnwatchAsync(observer, Cancellation);
    }

    [Fact]
    public async Task ExplainAsync_PairWithAHistory_TellsWhoHoldsItAndWhy()
    {
        await _silo.Target("t").GiveAsync("ann");
        await Rule("t").FreezeAsync(true, "a reason", Operator, Cancellation);

        var report = await Rule("t").ExplainAsync("ann", Cancellation);

        (report.Outcome, report.Count, report.Version, report.Hearted, report.IsFrozen, report.RuleReason).ShouldBe((HeartOutcome.Committed, 1, 1, true, true, "a reason"));
        report.Silo.ShouldNotBeEmpty();
        report.Address.ShouldContain("127.0.0.1");
        report.Breakers.ShouldContain(breaker => breaker.Name == "ledger");
        var pair = await Desk.PairAsync("t", "ann", Cancellation);
        pair.Events.ShouldHaveSingleItem().ShouldSatisfyAllConditions(e => e.Kind.ShouldBe("given"), e => e.Id.Length.ShouldBe(33), e => e.Actor.ShouldBe("claimed"));
    }

    private protected abstract Task<HeartStore> OpenAsync();

    private IModerationGrain Desk => _silo.Grains.GetGrain<IModerationGrain>(0);

    private ITargetRuleGrain Rule(string targetId) => _silo.Grains.GetGrain<ITargetRuleGrain>(targetId);

    private static long Now() => TimeProvider.System.NowMicros();

    private sealed class Watcher : ILiveObserver
    {
        private readonly Lock _lock = new();
        private LiveUpdate _last;

        public HashSet<string> Lost { get; } = [];

        public LiveUpdate Last
        {
            get
            {
                lock (_lock) return _last;
            }
        }

        public ValueTask ToldAsync(LiveBatch batch)
        {
            lock (_lock)
            {
                if (batch.Updates.Length > 0) _last = batch.Updates[^1];
                Lost.UnionWith(batch.Lost);
            }

            return default;
        }
    }
}
