using HeartGrains.Hearts;
using HeartGrains.Tests.Infrastructure;

namespace HeartGrains.Tests.Hearts;

/// <summary>What a target promises to those who love it, over every ledger.</summary>
public abstract class HeartGrainTests : IAsyncLifetime
{
    private HeartStore _store = null!;
    private HeartSilo _silo = null!;

    private protected abstract Task<HeartStore> OpenStoreAsync();

    public async ValueTask InitializeAsync()
    {
        _store = await OpenStoreAsync();
        _silo = await HeartSilo.StartAsync(_store);
    }

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        _store.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task GiveAsync_FirstHeart_IsCommittedAsVersionOne()
    {
        var given = await _silo.Target("post").GiveAsync("ann");

        (given.Outcome, given.Changed, given.Count, given.Version).ShouldBe((HeartOutcome.Committed, true, 1, 1));
        given.Id.ShouldBe(_silo.Keys.OfHeart(_silo.Keys.OfTarget("post"), "ann"));
        var row = (await _silo.ShouldBeExactAsync("post")).ShouldHaveSingleItem();
        (row.TargetId, row.UserId, row.AtMicros).ShouldBe(("post", "ann", given.GivenAtMicros));
    }

    [Fact]
    public async Task GiveAsync_Repeat_AnswersAsTheFirstAndWritesNothing()
    {
        var target = _silo.Target("post");
        var first = await target.GiveAsync("ann");
        await target.GiveAsync("ben");

        var repeat = await target.GiveAsync("ann");

        repeat.ShouldBe(first with { Changed = false, Count = 2, Version = 2, LedgerMillis = 0 });
        (await _silo.ShouldBeExactAsync("post")).Length.ShouldBe(2);
    }

    [Fact]
    public async Task WithdrawAsync_GivenHeart_IsGoneAndCountsAgainWhenGivenAgain()
    {
        var target = _silo.Target("post");
        var first = await target.GiveAsync("ann");

        var withdrawn = await target.WithdrawAsync("ann");
        (withdrawn.Outcome, withdrawn.Changed, withdrawn.Id, withdrawn.Count, withdrawn.Version, withdrawn.GivenAtMicros)
            .ShouldBe((HeartOutcome.Committed, true, first.Id, 0, 2, 0));

        var again = await target.GiveAsync("ann");
        (again.Outcome, again.Changed, again.Id, again.Count, again.Version).ShouldBe((HeartOutcome.Committed, true, first.Id, 1, 3));
        again.GivenAtMicros.ShouldBeGreaterThan(first.GivenAtMicros);
        (await _silo.ShouldBeExactAsync("post")).Length.ShouldBe(3);
    }

    [Fact]
    public async Task WithdrawAsync_NoHeart_ChangesNothing()
    {
        var target = _silo.Target("post");
        await target.GiveAsync("ann");

        var nothing = await target.WithdrawAsync("ben");

        (nothing.Outcome, nothing.Changed, nothing.Count, nothing.Version, nothing.GivenAtMicros).ShouldBe((HeartOutcome.Committed, false, 1, 1, 0));
        (await _silo.ShouldBeExactAsync("post")).Length.ShouldBe(1);
    }

    [Fact]
    public async Task ReadAsync_WithAndWithoutUser_TellsCountVersionAndHearted()
    {
        var target = _silo.Target("post");
        await target.GiveAsync("ann");
        await target.GiveAsync("ben");
        await target.WithdrawAsync("ben");

        (await target.ReadAsync()).ShouldBe(new HeartState(HeartOutcome.Committed, 1, 3, null));
        (await target.ReadAsync("ann")).ShouldBe(new HeartState(HeartOutcome.Committed, 1, 3, true));
        (await target.ReadAsync("ben")).ShouldBe(new HeartState(HeartOutcome.Committed, 1, 3, false));
        (await target.ReadAsync("cid")).ShouldBe(new HeartState(HeartOutcome.Committed, 1, 3, false));
    }

    [Fact]
    public async Task GiveAsync_OneUserAHundredTimesAtOnce_IsOneEvent()
    {
        var target = _silo.Target("post");

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => target.GiveAsync("ann")));

        answers.Count(answer => answer.Changed).ShouldBe(1);
        answers.ShouldAllBe(answer => answer.Outcome == HeartOutcome.Committed && answer.Version == 1 && answer.Count == 1);
        answers.Select(answer => (answer.Id, answer.GivenAtMicros)).Distinct().ShouldHaveSingleItem();
        (await _silo.ShouldBeExactAsync("post")).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Changes_StormOfAFewUsers_AlternateWithoutGaps()
    {
        var target = _silo.Target("post");
        var dice = new Random(7);

        var answers = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ =>
        {
            var user = $"u{dice.Next(5)}";
            return dice.Next(2) == 0 ? target.GiveAsync(user) : target.WithdrawAsync(user);
        }));

        answers.ShouldAllBe(answer => answer.Outcome == HeartOutcome.Committed);
        var log = await _silo.ShouldBeExactAsync("post");
        answers.Where(answer => answer.Changed).Select(answer => answer.Version).Order().ShouldBe(log.Select(row => row.Version));
    }

    [Fact]
    public async Task GiveAsync_OtherUsersWhileOneIsCommitting_ShareTheNextBatch()
    {
        var target = _silo.Target("post");
        var gate = _silo.Ledger.Close();
        var first = target.GiveAsync("ann");
        await gate.Reached;
        var others = new[] { target.GiveAsync("ben"), target.GiveAsync("cid") };
        await _silo.UntilQueuedAsync(2);
        first.IsCompleted.ShouldBeFalse();

        gate.Open();
        (await first).Version.ShouldBe(1);
        (await Task.WhenAll(others)).Select(answer => answer.Version).Order().ShouldBe([2L, 3L]);
        _silo.Ledger.Batches.Select(batch => batch.Length).ShouldBe([1, 2]);
        await _silo.ShouldBeExactAsync("post");
    }

    [Fact]
    public async Task ReadAsync_HeartNotYetCommitted_ShowsTheStateBeforeIt()
    {
        var target = _silo.Target("post");
        await target.GiveAsync("ann");
        var gate = _silo.Ledger.Close();
        var given = target.GiveAsync("ben");
        await gate.Reached;

        (await target.ReadAsync("ben")).ShouldBe(new HeartState(HeartOutcome.Committed, 1, 1, false));
        gate.Open();
        await given;
        (await target.ReadAsync("ben")).ShouldBe(new HeartState(HeartOutcome.Committed, 2, 2, true));
    }

    [Fact]
    public async Task SetOpeningAsync_LovedTarget_IsToldApartFromHeartsAndOutlivesTheActivation()
    {
        var target = _silo.Target("post");
        await target.GiveAsync("ann");

        (await target.SetOpeningAsync(1_000)).ShouldBe(new OpeningReceipt(HeartOutcome.Committed, true));
        (await target.SetOpeningAsync(1_000)).ShouldBe(new OpeningReceipt(HeartOutcome.Committed, false));
        (await target.ReadAsync()).ShouldBe(new HeartState(HeartOutcome.Committed, 1, 1, null, 1_000));
        (await target.GiveAsync("ben")).Count.ShouldBe(2);

        await _silo.ForgetAsync("post");
        (await target.ReadAsync("ben")).ShouldBe(new HeartState(HeartOutcome.Committed, 2, 2, true, 1_000));
        (await _silo.ShouldBeExactAsync("post")).Length.ShouldBe(2);
    }

    [Fact]
    public async Task SetOpeningAsync_WhileTheTargetIsRead_IsNotOvertakenByTheOlderSnapshot()
    {
        var target = _silo.Target("post");
        var (reading, mayRead) = (new TaskCompletionSource(), new TaskCompletionSource());
        var isFirst = true;
        _silo.Ledger.OnLoaded = async () =>
        {
            if (!isFirst) return;
            isFirst = false;
            reading.SetResult();
            await mayRead.Task;
        };
        var read = target.ReadAsync();
        await reading.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);

        await target.SetOpeningAsync(5);
        mayRead.SetResult();

        (await read).Opening.ShouldBe(5);
    }

    [Fact]
    public async Task Activation_Forgotten_ReadsItsStateBack()
    {
        var first = await _silo.Target("post").GiveAsync("ann");
        await _silo.ForgetAsync("post");
        (await _silo.Target("post").GiveAsync("ann")).ShouldBe(first with { Changed = false, LedgerMillis = 0 });

        await _silo.Ledger.FoldAllAsync();
        await _silo.ForgetAsync("post");
        (await _silo.Target("post").GiveAsync("ann")).ShouldBe(first with { Changed = false, LedgerMillis = 0 });
        await _silo.ShouldBeExactAsync("post");
    }

    [Fact]
    public async Task ReadAsync_UnknownTarget_LeavesNoRowAndNoActivation()
    {
        (await _silo.Target("invented").ReadAsync("ann")).ShouldBe(new HeartState(HeartOutcome.Committed, 0, 0, false));
        (await _silo.Target("invented").WithdrawAsync("ann")).Changed.ShouldBeFalse();

        await HeartSilo.UntilAsync(async () => !await _silo.IsActiveAsync("invented"));
        _silo.Ledger.Batches.ShouldBeEmpty();
    }

    [Fact]
    public async Task Calls_NewTargetsReadAndLovedAtOnce_AllAnswered()
    {
        // A read alone would end the activation that the hearts are on their way to.
        await Task.WhenAll(Enumerable.Range(0, 100).Select(async number =>
        {
            var target = _silo.Target($"post{number}");
            var reads = Enumerable.Range(0, 5).Select(user => target.ReadAsync($"u{user}")).ToArray();
            var given = Enumerable.Range(0, 3).Select(user => target.GiveAsync($"u{user}")).ToArray();
            var more = Enumerable.Range(0, 5).Select(user => target.ReadAsync($"u{user}")).ToArray();
            (await Task.WhenAll(given)).ShouldAllBe(answer => answer.Outcome == HeartOutcome.Committed && answer.Changed);
            (await Task.WhenAll([.. reads, .. more])).ShouldAllBe(answer => answer.Outcome == HeartOutcome.Committed);
        }));

        for (var number = 0; number < 100; number++) (await _silo.ShouldBeExactAsync($"post{number}")).Length.ShouldBe(3);
    }
}

public sealed class MemoryHeartGrainTests : HeartGrainTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => Task.FromResult(HeartStore.Memory());
}

public sealed class SqliteHeartGrainTests : HeartGrainTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => Task.FromResult(HeartStore.Sqlite());
}

public sealed class PostgresHeartGrainTests(LocalPostgres server) : HeartGrainTests
{
    private protected override Task<HeartStore> OpenStoreAsync() => HeartStore.PostgresAsync(server);
}
