using System.Text.Json;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Moderation;
using HeartGrains.Users;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.Moderation;

/// <summary>Quarantines that a move of their target, or a merge of their users, overtakes.</summary>
public abstract partial class ModerationWorkTests
{
    [Theory]
    [InlineData("release", false)]
    [InlineData("rollback", true)]
    public async Task Quarantine_TargetMovedBetweenItsPages_HoldsEachHeartOnceWhereverItIs(string end, bool isOfUsers)
    {
        string[] users = [.. Enumerable.Range(0, 250).Select(static n => $"u{n}")];
        foreach (var page in users.Chunk(200)) await Task.WhenAll(page.Select(user => GiveAsync("from", user)));
        await GiveAsync("to", "own");
        await GiveAsync("to", "u249");
        var (work, job) = (Work("quarantine"), QuarantineJob(isOfUsers ? new QuarantineOrder(null, null, null, [.. users.Skip(230), "own"], "a farm") : new QuarantineOrder("from", null, null, null, "a farm")));
        for (var page = 0; page < (isOfUsers ? 5 : 2); page++) job = job.After(await work.RunPageAsync(job, Cancellation), job.StartedMicros);

        // What is held by now stays; all else goes over, but for what its users did themselves.
        await MoveAsync("from", "to");
        await _silo.Target("to").WithdrawAsync("u247");
        await _silo.Target("to").WithdrawAsync("u248");
        await _silo.Target("to").GiveAsync("u248");
        await MoveAsync("to", "last");
        job = await RunPagesAsync(job);

        // Who had one at the new name by themselves keeps it, unless that is asked for too.
        var kept = isOfUsers ? 230 + 1 : 1 + 1 + 1;
        var held = isOfUsers ? 20 + 1 - 2 : 250 - 3;
        (await FindAsync(job.Id)).ShouldSatisfyAllConditions(found => found.State.ShouldBe(QuarantineState.Held), found => found.Held.ShouldBe(held));
        JsonSerializer.Deserialize(job.Progress, ModerationWorkJson.Default.QuarantineProgress)!.Held.ShouldBe(held);
        (await _silo.Target("last").ReadAsync("u240")).ShouldSatisfyAllConditions(state => state.Count.ShouldBe(kept), state => state.Hearted.ShouldBe(false));

        var ended = await EndAsync(end, job.Id);

        (ended.Held, ended.Released, ended.Skipped).ShouldBe(end == "release" ? (0, held, 0) : (0, 0, 0));
        (await _silo.Target("last").ReadAsync("u240")).ShouldSatisfyAllConditions(
            state => state.Count.ShouldBe(end == "release" ? kept + held : kept), state => state.Hearted.ShouldBe(end == "release"));
        await _silo.ShouldBeExactAsync("last");
        foreach (var name in (string[])["from", "to"]) await _silo.ShouldBeExactOfLogAsync(name);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Quarantine_ReaderMergedBetweenItsPages_HoldsTheAccountsHeart(bool isEnded, bool isMoved)
    {
        await Task.WhenAll(Enumerable.Range(0, 200).Select(n => GiveAsync("from", $"u{n}")));
        foreach (var user in (string[])["reader:r", "reader:s", "sid"]) await GiveAsync("from", user);
        var (work, job) = (Work("quarantine"), QuarantineJob(new QuarantineOrder("from", null, null, null, "a farm")));
        for (var page = 0; page < 2; page++) job = job.After(await work.RunPageAsync(job, Cancellation), job.StartedMicros);

        var (jobs, merge) = (_silo.Services.GetRequiredService<IJobStore>(), MergeJob("reader:r", "rob"));
        await jobs.OpenAsync(merge, Cancellation);
        merge = merge.After(await Work("merge-user").RunPageAsync(merge, Cancellation), merge.StartedMicros);
        if (isEnded) merge = await RunPagesAsync(merge);
        await jobs.SaveAsync(merge with { Step = 1 }, Cancellation);
        await RunPagesAsync(MergeJob("reader:s", "sid"));
        var place = isMoved ? "to" : "from";
        if (isMoved) await MoveAsync("from", "to");
        job = await RunPagesAsync(job);

        (await FindAsync(job.Id)).Held.ShouldBe(202);
        (await _silo.Target(place).ReadAsync()).Count.ShouldBe(0);
        (await EndAsync("release", job.Id)).Released.ShouldBe(202);
        (await _silo.Target(place).ReadAsync("rob")).ShouldSatisfyAllConditions(state => state.Count.ShouldBe(202), state => state.Hearted.ShouldBe(true));
        await _silo.ShouldBeExactAsync(place);
    }

    [Fact]
    public async Task Quarantine_OfAWindow_LeavesWhatWentElsewhereBeforeIt()
    {
        await GiveAsync("from", "ann");
        var until = (await GiveAsync("there", "reader:r")).GivenAtMicros + 1;
        await MoveAsync("from", "to");
        await RunPagesAsync(MergeJob("reader:r", "rob"));

        (await QuarantineAsync(new QuarantineOrder(null, null, until, null, "a farm"))).Held.ShouldBe(0);
        (await _silo.Target("to").ReadAsync("ann")).Hearted.ShouldBe(true);
        (await _silo.Target("there").ReadAsync("rob")).Hearted.ShouldBe(true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Quarantine_HeartThatACrashLeftAtBothNames_IsHeldOnce(bool isOfTarget)
    {
        await GiveAsync("from", "ann");
        var quarantine = QuarantineJob(new QuarantineOrder(isOfTarget ? "from" : null, null, null, isOfTarget ? null : ["ann"], "a farm"));
        quarantine = quarantine.After(await Work("quarantine").RunPageAsync(quarantine, Cancellation), quarantine.StartedMicros);
        var (jobs, move) = (_silo.Services.GetRequiredService<IJobStore>(), MoveJob("from", "to"));
        await jobs.OpenAsync(move, Cancellation);
        move = move.After(await Work("move").RunPageAsync(move, Cancellation), move.StartedMicros);
        await jobs.SaveAsync(move, Cancellation);
        await _silo.Target("to").Grain.GiveAsync("ann", move.Origin(HeartCause.Moved), Cancellation);
        foreach (var user in (string[])["ben", "cid"]) await GiveAsync("to", user);

        quarantine = await RunPagesAsync(quarantine);
        move = await RunPagesAsync(move);

        (await FindAsync(quarantine.Id)).Held.ShouldBe(1);
        (await _silo.Target("to").ReadAsync("ann")).ShouldSatisfyAllConditions(state => state.Count.ShouldBe(2), state => state.Hearted.ShouldBe(false));
        JsonSerializer.Deserialize(move.Progress, ModerationWorkJson.Default.MoveProgress)!.Moved.ShouldBe(0);
        (await EndAsync("release", quarantine.Id)).ShouldSatisfyAllConditions(ended => ended.Released.ShouldBe(1), ended => ended.Skipped.ShouldBe(0));
        (await _silo.Target("to").ReadAsync("ann")).ShouldSatisfyAllConditions(state => state.Count.ShouldBe(3), state => state.Hearted.ShouldBe(true));
        await _silo.ShouldBeExactAsync("to");
    }

    [Fact]
    public async Task Quarantine_TargetMovedWithinAPage_NoHeartEscapes()
    {
        await Task.WhenAll(Enumerable.Range(0, 300).Select(n => GiveAsync("from", $"u{n}")));
        var (work, job) = (Work("quarantine"), QuarantineJob(new QuarantineOrder("from", null, null, null, "a farm")));
        job = job.After(await work.RunPageAsync(job, Cancellation), job.StartedMicros);

        // When some hearts have been found at the old name and none is withdrawn.
        var reads = 0;
        _silo.Ledger.OnRead = async () =>
        {
            if (Interlocked.Increment(ref reads) != 100) return;
            _silo.Ledger.OnRead = null;
            await MoveAsync("from", "to");
        };
        job = await RunPagesAsync(job);

        reads.ShouldBeGreaterThanOrEqualTo(100);
        (await FindAsync(job.Id)).Held.ShouldBe(300);
        (await _silo.Target("to").ReadAsync()).Count.ShouldBe(0);
        (await EndAsync("release", job.Id)).Released.ShouldBe(300);
        (await _silo.Target("to").ReadAsync()).Count.ShouldBe(300);
        await _silo.ShouldBeExactAsync("to");
    }

    private static Job MergeJob(string reader, string account) => Job.Of(
        new JobOrder("merge-user", "subject", JsonSerializer.Serialize(new MergeArguments(reader, account), UserJson.Default.MergeArguments), account), $"{reader} {account}", TimeProvider.System.NowMicros());

    private static Job QuarantineJob(QuarantineOrder order) => Job.Of(
        new JobOrder("quarantine", "subject", JsonSerializer.Serialize(order, ModerationWorkJson.Default.QuarantineOrder), "key:operator"), "subject", TimeProvider.System.NowMicros());
}
