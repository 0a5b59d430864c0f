using System.Collections.Concurrent;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Tests.Infrastructure;

namespace HeartGrains.Tests.Hearts;

/// <summary>What a target promises when its ledger misbehaves or a rival writes, over every ledger.</summary>
public abstract class HeartGrainFaultTests : IAsyncLifetime
{
    private HeartStore _store = null!;
    private HeartSilo _silo = null!;

    private protected abstract Task<HeartStore> OpenStoreAsync();

    public async ValueTask InitializeAsync()
    {
        _store = await OpenStoreAsync();
        _silo = await HeartSilo.StartAsync(_store, ("Ledger:QueueLimit", "4"), ("Ledger:BatchLimit", "2"), ("Ledger:AppendDeadline", "00:00:01"));
    }

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        _store.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task GiveAsync_BatchRefused_FailsItsOwnCallsAndLeavesNoGap()
    {
        var target = _silo.Target("post");
        await target.GiveAsync("ann");
        var gate = new LedgerGate();
        _silo.Ledger.OnAppend = async (rows, append) =>
        {
            await gate.PassAsync();
            return rows[0].UserId == "ben" ? AppendOutcome.Refused : await append();
        };
        var refused = target.GiveAsync("ben");
        await gate.Reached;
        var repeat = target.GiveAsync("ben");
        var behind = target.GiveAsync("cid");
        await _silo.UntilQueuedAsync(1);
        gate.Open();

        (await refused).Outcome.ShouldBe(HeartOutcome.LedgerUnavailable);
        (await repeat).Outcome.ShouldBe(HeartOutcome.LedgerUnavailable);
        var given = await behind;
        (given.Outcome, given.Version, given.Count).ShouldBe((HeartOutcome.Committed, 2, 2));
        (await target.ReadAsync("ben")).ShouldBe(new HeartState(HeartOutcome.Committed, 2, 2, false));
        (await _silo.ShouldBeExactAsync("post")).Select(row => row.UserId).ShouldBe(["ann", "cid"]);
    }

    [Fact]
    public async Task SetOpeningAsync_LedgerDown_IsUnknownAndMemoryStaysAsItWas()
    {
        var target = _silo.Target("post");
        await target.SetOpeningAsync(5);
        _silo.Ledger.OnSetOpening = HookedLedger.Refuse;

        (await target.SetOpeningAsync(9)).ShouldBe(new OpeningReceipt(HeartOutcome.Unknown, false));

        (await target.ReadAsync()).Opening.ShouldBe(5);
    }

    [Fact]
    public async Task GiveAsync_PoisonInTheBatch_FailsAlone()
    {
        _silo.Ledger.OnAppend = (rows, append) =>
            rows.Any(row => row.UserId == "poison") ? ValueTask.FromResult(AppendOutcome.Poison) : append();
        var target = _silo.Target("post");

        var answers = await Task.WhenAll(new[] { "ann", "poison", "ben" }.Select(target.GiveAsync));

        answers.Select(answer => answer.Outcome).ShouldBe([HeartOutcome.Committed, HeartOutcome.LedgerUnavailable, HeartOutcome.Committed]);
        (await _silo.ShouldBeExactAsync("post")).Length.ShouldBe(2);
    }

    [Fact]
    public async Task GiveAsync_AnswerOfTheCommitLost_IsCommittedOnce()
    {
        var lost = 0;
        _silo.Ledger.OnAppend = async (_, append) =>
        {
            var outcome = await append();
            return lost++ == 0 ? AppendOutcome.Unknown : outcome;
        };
        var target = _silo.Target("post");

        var given = await target.GiveAsync("ann");

        (given.Outcome, given.Changed, given.Version, given.Count).ShouldBe((HeartOutcome.Committed, true, 1, 1));
        lost.ShouldBe(2);
        (await target.GiveAsync("ben")).Version.ShouldBe(2);
        (await _silo.ShouldBeExactAsync("post")).Length.ShouldBe(2);
    }

    [Fact]
    public async Task GiveAsync_AnswersLostUntilTheDeadline_IsUnknownAndFoundByTheNextCall()
    {
        _silo.Ledger.OnAppend = async (_, append) =>
        {
            await append();
            return AppendOutcome.Unknown;
        };
        // The conflict of the second try would be explained by the log, could it be read.
        _silo.Ledger.OnFindVersions = HookedLedger.Refuse;
        var target = _silo.Target("post");

        (await target.GiveAsync("ann")).Outcome.ShouldBe(HeartOutcome.Unknown);

        _silo.Ledger.OnFindVersions = null;
        _silo.Ledger.OnAppend = null;
        var repeat = await target.GiveAsync("ann");
        (repeat.Outcome, repeat.Changed, repeat.Version).ShouldBe((HeartOutcome.Committed, false, 1));
        await _silo.ShouldBeExactAsync("post");
    }

    [Fact]
    public async Task GiveAsync_RivalWroteFirst_ConflictsReloadsAndIsExact()
    {
        var target = _silo.Target("post");
        await target.GiveAsync("ann");
        await RivalGivesAsync("rival", 2);

        (await target.GiveAsync("ben")).Outcome.ShouldBe(HeartOutcome.Conflict);

        (await target.ReadAsync("rival")).ShouldBe(new HeartState(HeartOutcome.Committed, 2, 2, true));
        (await target.GiveAsync("ben")).Version.ShouldBe(3);
        (await target.GiveAsync("rival")).Changed.ShouldBeFalse();
        (await _silo.ShouldBeExactAsync("post")).Select(row => row.UserId).ShouldBe(["ann", "rival", "ben"]);
    }

    [Fact]
    public async Task GiveAsync_RivalAtANeighbour_CommitsTheRestOfTheBatch()
    {
        await _silo.Target("post").GiveAsync("ann");
        await RivalGivesAsync("rival", 2);
        var gate = _silo.Ledger.Close();
        var first = _silo.Target("busy").GiveAsync("ann");
        await gate.Reached;
        var contested = _silo.Target("post").GiveAsync("ben");
        var neighbour = _silo.Target("neighbour").GiveAsync("ben");
        await _silo.UntilQueuedAsync(2);
        gate.Open();

        (await first).Outcome.ShouldBe(HeartOutcome.Committed);
        (await contested).Outcome.ShouldBe(HeartOutcome.Conflict);
        (await neighbour).Outcome.ShouldBe(HeartOutcome.Committed);
        await _silo.ShouldBeExactAsync("post");
        await _silo.ShouldBeExactAsync("neighbour");
    }

    [Fact]
    public async Task GiveAsync_QueueFull_IsRefusedAtOnceAndServesAgain()
    {
        var target = _silo.Target("post");
        var gate = _silo.Ledger.Close();
        var first = target.GiveAsync("u0");
        await gate.Reached;
        var waiting = Enumerable.Range(1, 4).Select(user => target.GiveAsync($"u{user}")).ToArray();
        await _silo.UntilQueuedAsync(4);

        (await target.GiveAsync("u5")).Outcome.ShouldBe(HeartOutcome.QueueFull);
        first.IsCompleted.ShouldBeFalse();

        gate.Open();
        (await Task.WhenAll([first, .. waiting])).ShouldAllBe(answer => answer.Outcome == HeartOutcome.Committed);
        (await target.GiveAsync("u5")).Version.ShouldBe(6);
        await _silo.ShouldBeExactAsync("post");
    }

    [Fact]
    public async Task Calls_LedgerDown_AreRefusedAndServedOnceItIsBack()
    {
        var known = _silo.Target("known");
        await known.GiveAsync("ann");
        _silo.Ledger.OnAppend = (_, _) => ValueTask.FromResult(AppendOutcome.Refused);
        _silo.Ledger.OnRead = HookedLedger.Refuse;

        (await known.GiveAsync("ben")).Outcome.ShouldBe(HeartOutcome.LedgerUnavailable);
        (await known.ReadAsync()).ShouldBe(new HeartState(HeartOutcome.Committed, 1, 1, null));
        (await _silo.Target("cold").ReadAsync()).Outcome.ShouldBe(HeartOutcome.LedgerUnavailable);
        (await _silo.Target("cold").GiveAsync("ben")).Outcome.ShouldBe(HeartOutcome.LedgerUnavailable);
        await HeartSilo.UntilAsync(async () => !await _silo.IsActiveAsync("cold"));

        _silo.Ledger.OnAppend = null;
        _silo.Ledger.OnRead = null;
        (await known.GiveAsync("ben")).Version.ShouldBe(2);
        (await _silo.Target("cold").GiveAsync("ben")).Version.ShouldBe(1);
        await _silo.ShouldBeExactAsync("known");
    }

    [Fact]
    public async Task Load_FailsInAnUnforeseenWay_IsTriedAgainByTheNextCall()
    {
        _silo.Ledger.OnRead = () => throw new InvalidOperationException("unforeseen");
        await Should.ThrowAsync<InvalidOperationException>(_silo.Target("post").GiveAsync("ann"));

        _silo.Ledger.OnRead = null;
        (await _silo.Target("post").GiveAsync("ann")).Outcome.ShouldBe(HeartOutcome.Committed);
    }

    [Fact]
    public async Task GiveAsync_CallerGaveUpWhileWaitingForAnother_ChangesNothing()
    {
        // Word of the cancellation takes a way of its own and may come too late, so a few targets are tried.
        var number = 0;
        await HeartSilo.UntilAsync(async () =>
        {
            var target = _silo.Target($"post{number++}");
            var gate = _silo.Ledger.Close();
            var given = target.GiveAsync("ann");
            await gate.Reached;
            var withdrawn = target.WithdrawAsync("ann");
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            var late = target.GiveUntilAsync("ann", patience.Token);
            await target.ReadAsync();
            await patience.CancelAsync();
            await Should.ThrowAsync<OperationCanceledException>(late);
            await target.ReadAsync();

            gate.Open();
            (await Task.WhenAll(given, withdrawn)).ShouldAllBe(answer => answer.Changed);
            await target.GiveAsync("ben");
            var state = await target.ReadAsync("ann");
            return state is { Hearted: false, Version: 3 };
        });
    }

    [Fact]
    public async Task Changes_TwoActivationsOfOneTarget_EachVersionHasOneWriter()
    {
        // Two clusters over one store, as after a network split: each has its own activation of everything.
        await using var other = await HeartSilo.StartAsync(_store);
        var changed = new ConcurrentBag<long>();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async caller =>
        {
            var dice = new Random(caller);
            for (var step = 0; step < 25; step++)
            {
                var target = (caller % 2 == 0 ? _silo : other).Target("post");
                var user = $"u{dice.Next(4)}";
                var gives = dice.Next(2) == 0;
                var answer = await CallAsync();
                for (var retries = 0; retries < 200 && answer.Outcome is not (HeartOutcome.Committed or HeartOutcome.Unknown); retries++)
                {
                    // The rival may hold the store's only write lock for as long as a disk needs.
                    await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
                    answer = await CallAsync();
                }

                answer.Outcome.ShouldBe(HeartOutcome.Committed);
                if (answer.Changed) changed.Add(answer.Version);

                Task<HeartReceipt> CallAsync() => gives ? target.GiveAsync(user) : target.WithdrawAsync(user);
            }
        }));

        changed.Order().ShouldBe(Enumerable.Range(1, changed.Count).Select(version => (long)version));
        await using var third = await HeartSilo.StartAsync(_store);
        var all = _silo.Ledger.Batches.Concat(other.Ledger.Batches).SelectMany(batch => batch).ToArray();
        all.Length.ShouldBe(changed.Count);
        var count = all.Sum(row => row.Kind == HeartEventKind.Given ? 1 : -1);
        (await third.Target("post").ReadAsync()).ShouldBe(new HeartState(HeartOutcome.Committed, count, changed.Count, null));
        foreach (var user in all.GroupBy(row => row.UserId))
            user.OrderBy(row => row.Version).Select((row, at) => row.Kind == (at % 2 == 0 ? HeartEventKind.Given : HeartEventKind.Withdrawn)).ShouldAllBe(ok => ok);
    }

    private async Task RivalGivesAsync(string user, long version)
    {
        var target = _silo.Keys.OfTarget("post");
        var row = new HeartEvent(target, version, "post", _silo.Keys.OfHeart(target, user), user, HeartEventKind.Given, 1_000_000, -1);
        (await _silo.Ledger.CommitAsync(row)).ShouldBe(AppendOutcome.Committed);
    }
}

public sealed class MemoryHeartGrainFaultTests : HeartGrainFaultTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => Task.FromResult(HeartStore.Memory());
}

public sealed class SqliteHeartGrainFaultTests : HeartGrainFaultTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => Task.FromResult(HeartStore.Sqlite());
}

public sealed class PostgresHeartGrainFaultTests(LocalPostgres server) : HeartGrainFaultTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => HeartStore.PostgresAsync(server);
}
