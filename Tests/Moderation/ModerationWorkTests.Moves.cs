using System.Text.Json;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using HeartGrains.Moderation;
using HeartGrains.Tests.Hearts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Moderation;

/// <summary>Moves.</summary>
public abstract partial class ModerationWorkTests
{
    [Fact]
    public async Task Move_ManyHeartsSomeOnBothSides_EachUserHasOneAtTheNewName()
    {
        var (from, to) = (_silo.Target("from"), _silo.Target("to"));
        await Task.WhenAll(Enumerable.Range(0, 450).Select(n => from.GiveAsync($"u{n}")));
        await Task.WhenAll(Enumerable.Range(0, 100).Select(n => from.WithdrawAsync($"u{n}")));
        await Task.WhenAll(Enumerable.Range(300, 300).Select(n => to.GiveAsync($"u{n}")));
        await from.SetOpeningAsync(7);

        var progress = await MoveAsync("from", "to");

        (progress.To, progress.Moved, progress.Refusal).ShouldBe(("to", 350, RuleRefusal.None));
        (await to.ReadAsync("u150")).ShouldSatisfyAllConditions(state => state.Count.ShouldBe(500), state => state.Hearted.ShouldBe(true), state => state.Opening.ShouldBe(7));
        (await from.ReadAsync("u150")).ShouldSatisfyAllConditions(state => state.Count.ShouldBe(500), state => state.Hearted.ShouldBe(true));
        await _silo.ShouldBeExactAsync("to");
        (await _silo.ShouldBeExactOfLogAsync("from")).Count(row => row.Kind == HeartEventKind.Given).ShouldBe(450);
        (await MoveAsync("from", "to")).Moved.ShouldBe(0);
        (await MoveAsync("from", "elsewhere")).Refusal.ShouldBe(RuleRefusal.MovedElsewhere);
        (await MoveAsync("to", "from")).Refusal.ShouldBe(RuleRefusal.Cycle);
    }

    [Fact]
    public async Task ReadInTurnAsync_OldName_WaitsForWhatIsOnItsWayAtTheNewOne()
    {
        var (from, to) = (_silo.Target("from"), _silo.Target("to"));
        await Rule("from").RedirectAsync("to", "a reason", Operator, Cancellation);
        var order = new LedgerGate();
        _silo.Ledger.OnSetOpening = order.PassAsync;
        var set = to.SetOpeningAsync(9);
        await order.Reached;

        var read = Rule("from").ReadInTurnAsync(Cancellation).AsTask();
        (await from.ReadAsync()).ShouldBe(new HeartState(HeartOutcome.Committed, 0, 0, null));
        order.Open();
        (await read).ShouldBe(new HeartState(HeartOutcome.Committed, 0, 0, null, 9));
        await set;

        var heart = _silo.Ledger.Close();
        var given = to.GiveAsync("ann");
        await heart.Reached;
        read = Rule("from").ReadInTurnAsync(Cancellation).AsTask();
        (await from.ReadAsync()).Count.ShouldBe(0);
        heart.Open();
        (await read).ShouldBe(new HeartState(HeartOutcome.Committed, 1, 1, null, 9));
        await given;
    }

    [Fact]
    public async Task Move_EachPageDoneTwice_EndsTheSame()
    {
        await Task.WhenAll(Enumerable.Range(0, 300).Select(n => _silo.Target("from").GiveAsync($"u{n}")));

        var job = await RunPagesAsync("move", JsonSerializer.Serialize(new MoveOrder("from", "to", "a reason"), ModerationWorkJson.Default.MoveOrder));

        JsonSerializer.Deserialize(job.Progress, ModerationWorkJson.Default.MoveProgress)!.Moved.ShouldBe(300);

        (await _silo.Target("to").ReadAsync()).ShouldBe(new HeartState(HeartOutcome.Committed, 300, 300, null));
        (await DecisionsAsync()).ShouldBe(["moved"]);
        await _silo.ShouldBeExactAsync("to");
    }

    [Fact]
    public async Task Move_WhileHeartsAreGiven_LosesNone()
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(n => _silo.Target("from").GiveAsync($"u{n}")));
        var given = 200;
        var giving = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                (await _silo.Target("from").GiveAsync($"u{given}")).Outcome.ShouldBe(HeartOutcome.Committed);
                given++;
            }
        }, Cancellation);

        await MoveAsync("from", "to");
        await over.CancelAsync();
        await giving;

        (await _silo.Target("to").ReadAsync()).Count.ShouldBe(given);
        await _silo.ShouldBeExactAsync("to");
    }

    [Fact]
    public async Task Move_HeartOnItsWayToTheLedgerAtTheEnd_GoesOverToo()
    {
        var gate = _silo.Ledger.Close();
        var late = _silo.Target("from").GiveAsync("late");
        await gate.Reached;
        var (work, job) = (Work("move"), MoveJob("from", "to"));
        job = job.After(await work.RunPageAsync(job, Cancellation), 1);

        // The log is empty and so is the target: what is on its way is all there is.
        var page = work.RunPageAsync(job, Cancellation).AsTask();
        for (var look = 0; look < 300 && !page.IsCompleted; look++) await Rule("from").ExplainAsync(null, Cancellation);
        gate.Open();
        job = job.After(await page, 1);
        while (job.State == JobState.Running) job = job.After(await work.RunPageAsync(job, Cancellation), 1);

        (await late).ShouldSatisfyAllConditions(given => given.Outcome.ShouldBe(HeartOutcome.Committed), given => given.Changed.ShouldBeTrue());
        (await _silo.Target("to").ReadAsync("late")).ShouldSatisfyAllConditions(state => state.Count.ShouldBe(1), state => state.Hearted.ShouldBe(true));
        (await Rule("from").SettleAsync(Cancellation)).Count.ShouldBe(0);
    }

    [Fact]
    public async Task Redirect_CallsThatWaitForAnEarlierOne_FollowIt()
    {
        var gate = _silo.Ledger.Close();
        var first = _silo.Target("from").GiveAsync("ann");
        await gate.Reached;
        Task<HeartReceipt>[] waiting = [_silo.Target("from").WithdrawAsync("ann"), _silo.Target("from").GiveAsync("ann")];
        (await Rule("from").RedirectAsync("to", "a reason", Operator, Cancellation)).Changed.ShouldBeTrue();
        gate.Open();

        foreach (var receipt in await Task.WhenAll([first, .. waiting])) receipt.Outcome.ShouldBe(HeartOutcome.Committed);
        (await Rule("from").SettleAsync(Cancellation)).Count.ShouldBe(0);

        // Which of the two came first is nobody's to say.
        (await _silo.Target("to").ReadAsync("ann")).ShouldSatisfyAllConditions(state => state.Count.ShouldBe(state.Hearted is true ? 1 : 0));
    }

    [Fact]
    public async Task Move_HeartThatCannotGoOver_IsNotSaidToBeDone()
    {
        // The log names another user than the heart is of.
        var target = _silo.Keys.OfTarget("from");
        await _silo.Ledger.CommitAsync(new HeartEvent(target, 1, "from", _silo.Keys.OfHeart(target, "ann"), "ben", HeartEventKind.Given, 1, 1));
        var time = new FakeTimeProvider();
        var work = ActivatorUtilities.CreateInstance<MoveWork>(_silo.Services, time);
        var job = MoveJob("from", "to");
        for (var pages = 0; pages < 8; pages++)
        {
            var page = work.RunPageAsync(job, Cancellation).AsTask();
            await HeartSilo.UntilAsync(() =>
            {
                time.Advance(TimeSpan.FromSeconds(1));
                return Task.FromResult(page.IsCompleted);
            });
            job = job.After(await page, 1);
        }

        (job.State, JsonSerializer.Deserialize(job.Progress, ModerationWorkJson.Default.MoveProgress)!.Moved).ShouldBe((JobState.Running, 0));
    }

    [Fact]
    public async Task Release_TargetMovedSince_LeavesWhatItsUsersTookBackAtTheNewName()
    {
        foreach (var user in (string[])["ann", "ben", "cid"]) await _silo.Target("from").GiveAsync(user);
        await _silo.Target("to").GiveAsync("cid");
        await _silo.Target("to").WithdrawAsync("cid");
        var held = await QuarantineAsync(new QuarantineOrder("from", null, null, null, "a farm"));
        await MoveAsync("from", "to");
        await _silo.Target("to").GiveAsync("ann");
        await _silo.Target("to").WithdrawAsync("ann");
        await _silo.Target("from").GiveAsync("ben");

        var released = await EndAsync("release", held.Quarantine);

        // Ben has one by himself; what Cid took back before was another target's.
        (released.Held, released.Released, released.Skipped).ShouldBe((0, 1, 2));
        (await _silo.Target("to").ReadAsync("ann")).ShouldSatisfyAllConditions(state => state.Count.ShouldBe(2), state => state.Hearted.ShouldBe(false));
        await _silo.ShouldBeExactAsync("to");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Release_HeartThatAnotherQuarantineHoldsAtTheNewName_StaysThere(bool isOther)
    {
        await _silo.Target("from").GiveAsync("ann");
        var first = await QuarantineAsync(new QuarantineOrder("from", null, null, null, "a farm"));
        await MoveAsync("from", "to");
        await _silo.Target("to").GiveAsync("ann");
        var second = await QuarantineAsync(new QuarantineOrder("to", null, null, null, "a farm"));
        if (!isOther) await EndAsync("rollback", second.Quarantine);

        (await EndAsync("release", first.Quarantine)).ShouldSatisfyAllConditions(end => end.Released.ShouldBe(0), end => end.Skipped.ShouldBe(1));

        (await _silo.Target("to").ReadAsync("ann")).Hearted.ShouldBe(false);
        if (!isOther) return;
        (await EndAsync("release", second.Quarantine)).Released.ShouldBe(1);
        (await _silo.Target("to").ReadAsync("ann")).ShouldSatisfyAllConditions(state => state.Count.ShouldBe(1), state => state.Hearted.ShouldBe(true));
    }

    private IJobWork Work(string kind) => _silo.Services.GetServices<IJobWork>().Single(work => work.Kind == kind);

    private static Job MoveJob(string from, string to) => Job.Of(
        new JobOrder("move", from, JsonSerializer.Serialize(new MoveOrder(from, to, "a reason"), ModerationWorkJson.Default.MoveOrder), "key:operator"), "subject", 1);

    private async Task<MoveProgress> MoveAsync(string from, string to)
    {
        var job = await RunAsync("move", from, JsonSerializer.Serialize(new MoveOrder(from, to, "a reason"), ModerationWorkJson.Default.MoveOrder));
        var progress = JsonSerializer.Deserialize(job.Progress, ModerationWorkJson.Default.MoveProgress)!;
        job.State.ShouldBe(progress.Refusal == RuleRefusal.None ? JobState.Done : JobState.Failed, job.Progress);
        return progress;
    }
}
