using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using HeartGrains.Moderation;
using HeartGrains.Tests.Hearts;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.Moderation;

public sealed class MemoryModerationWorkTests : ModerationWorkTests
{
    private protected override Task<HeartStore> OpenAsync() => Task.FromResult(HeartStore.Memory());
}

public sealed class SqliteModerationWorkTests : ModerationWorkTests
{
    private protected override Task<HeartStore> OpenAsync() => Task.FromResult(HeartStore.Sqlite());
}

public sealed class PostgresModerationWorkTests(LocalPostgres server) : ModerationWorkTests
{
    private protected override Task<HeartStore> OpenAsync() => HeartStore.PostgresAsync(server);
}

/// <summary>Moves, quarantines and their ends as operations, over each ledger.</summary>
public abstract partial class ModerationWorkTests : IAsyncLifetime
{
    private static readonly HeartOrigin Operator = new("key:operator");
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
    public async Task Quarantine_OfUsersAndWindow_HoldsWhatMatchesAndNothingElse()
    {
        await _silo.Target("a").GiveAsync("old");
        await _silo.Target("a").GiveAsync("ann");
        await _silo.Target("b").GiveAsync("ann");
        await _silo.Target("b").GiveAsync("ben");
        await _silo.Target("c").GiveAsync("ann");
        await _silo.Target("c").WithdrawAsync("ann");

        var held = await QuarantineAsync(new QuarantineOrder(null, null, null, ["ann", "nobody"], "a farm"));

        held.Held.ShouldBe(2);
        (await CountsAsync()).ShouldBe((1, 1, 0));
        (await _silo.Target("a").ReadAsync("ann")).Hearted.ShouldBe(false);
        (await _silo.ShouldBeExactAsync("b"))[^1].Origin.ShouldBe(new HeartOrigin("key:operator", null, HeartCause.Quarantined, held.Quarantine));
        var quarantine = await FindAsync(held.Quarantine);
        (quarantine.State, quarantine.Users, quarantine.Held, quarantine.Reason, quarantine.Actor).ShouldBe((QuarantineState.Held, 2, 2, "a farm", "key:operator"));

        var released = await EndAsync("release", held.Quarantine);
        (released.Held, released.Released, released.Skipped).ShouldBe((0, 2, 0));
        (await CountsAsync()).ShouldBe((2, 2, 0));
        (await EndAsync("release", held.Quarantine)).Released.ShouldBe(2);
        (await CountsAsync()).ShouldBe((2, 2, 0));
        (await DecisionsAsync()).ShouldBe(["quarantined", "released"]);

        async Task<(long, long, long)> CountsAsync() =>
            ((await _silo.Target("a").ReadAsync()).Count, (await _silo.Target("b").ReadAsync()).Count, (await _silo.Target("c").ReadAsync()).Count);
    }

    [Fact]
    public async Task Quarantine_OfAWindow_LeavesWhatWasGivenBeforeAndAfter()
    {
        await GiveAsync("t", "before");
        var from = (await GiveAsync("t", "ann")).GivenAtMicros;
        await GiveAsync("other", "ben");
        await HeartSilo.UntilAsync(() => Task.FromResult(TimeProvider.System.NowMicros() > from + 1_000));
        var until = (await GiveAsync("t", "after")).GivenAtMicros;

        (await QuarantineAsync(new QuarantineOrder("t", from, until, null, "a farm"))).Held.ShouldBe(1);
        (await _silo.Target("t").ReadAsync("ann")).ShouldSatisfyAllConditions(state => state.Count.ShouldBe(2), state => state.Hearted.ShouldBe(false));
        (await QuarantineAsync(new QuarantineOrder(null, from, until, null, "all of it"))).Held.ShouldBe(1);
        (await _silo.Target("other").ReadAsync()).Count.ShouldBe(0);
    }

    [Fact]
    public async Task Release_UsersDecidedAnew_AreLeftAlone()
    {
        foreach (var user in (string[])["stays", "gives", "changes"]) await _silo.Target("t").GiveAsync(user);
        var held = await QuarantineAsync(new QuarantineOrder("t", null, null, null, "a farm"));
        await _silo.Target("t").GiveAsync("gives");
        await _silo.Target("t").GiveAsync("changes");
        await _silo.Target("t").WithdrawAsync("changes");

        var released = await EndAsync("release", held.Quarantine);

        (released.Held, released.Released, released.Skipped).ShouldBe((0, 1, 2));
        (await _silo.Target("t").ReadAsync("stays")).ShouldSatisfyAllConditions(state => state.Count.ShouldBe(2), state => state.Hearted.ShouldBe(true));
        (await _silo.Target("t").ReadAsync("changes")).Hearted.ShouldBe(false);
        await _silo.ShouldBeExactAsync("t");
    }

    [Fact]
    public async Task Rollback_AfterIt_NothingComesBack()
    {
        await _silo.Target("t").GiveAsync("ann");
        var held = await QuarantineAsync(new QuarantineOrder("t", null, null, null, "a farm"));

        (await EndAsync("rollback", held.Quarantine)).Held.ShouldBe(0);

        (await FindAsync(held.Quarantine)).State.ShouldBe(QuarantineState.RolledBack);
        await EndAsync("release", held.Quarantine, JobState.Failed);
        (await _silo.Target("t").ReadAsync()).Count.ShouldBe(0);
        (await DecisionsAsync()).ShouldBe(["quarantined", "rolled_back"]);
    }

    [Fact]
    public async Task Quarantine_EachPageDoneTwice_HoldsAndReleasesEachOnce()
    {
        await Task.WhenAll(Enumerable.Range(0, 250).Select(n => _silo.Target("t").GiveAsync($"u{n}")));

        var job = await RunPagesAsync("quarantine", JsonSerializer.Serialize(new QuarantineOrder("t", null, null, null, "a farm"), ModerationWorkJson.Default.QuarantineOrder));
        (await FindAsync(job.Id)).Held.ShouldBe(250);
        (await _silo.Target("t").ReadAsync()).Count.ShouldBe(0);
        await RunPagesAsync("release", JsonSerializer.Serialize(new QuarantineEndOrder(job.Id, "a reason"), ModerationWorkJson.Default.QuarantineEndOrder));

        (await _silo.Target("t").ReadAsync()).Count.ShouldBe(250);
        (await FindAsync(job.Id)).State.ShouldBe(QuarantineState.Released);
        (await DecisionsAsync()).ShouldBe(["quarantined", "released"]);
        await _silo.ShouldBeExactAsync("t");
    }

    /// <summary>Whatever is ordered in whatever order, there is one heart per user, and counts are what a model of a few lines says.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Moderation_AnySequence_CountsDistinctUsers(int seed)
    {
        var dice = new Random(seed);
        var model = new ModerationModel();
        for (var step = 0; step < 120; step++)
        {
            var (target, user) = ($"t{dice.Next(4)}", $"u{dice.Next(6)}");
            switch (dice.Next(20))
            {
                case < 10:
                    (await _silo.Target(target).GiveAsync(user)).Outcome.ShouldBe(model.Give(target, user), $"step {step}");
                    break;
                case < 13:
                    (await _silo.Target(target).WithdrawAsync(user)).Outcome.ShouldBe(model.Withdraw(target, user), $"step {step}");
                    break;
                case < 15:
                    var isFrozen = dice.Next(3) == 0;
                    await Rule(target).FreezeAsync(isFrozen, "a reason", Operator, Cancellation);
                    model.Freeze(target, isFrozen);
                    break;
                case 15:
                    var isBlocked = dice.Next(3) == 0;
                    await Desk.BlockAsync(user, isBlocked ? TimeProvider.System.NowMicros() + 3_600_000_000 : 0, "a reason", Operator, Cancellation);
                    model.Block(user, isBlocked);
                    break;
                case 16 when step % 3 == 0:
                    var to = $"t{dice.Next(4)}";
                    if (to == target) break;
                    (await MoveAsync(target, to)).Refusal.ShouldBe(model.Move(target, to), $"step {step}");
                    break;
                case 17:
                    var held = await QuarantineAsync(new QuarantineOrder(target, null, null, null, $"step {step}"));
                    held.MovedTo.ShouldBe(model.MovedTo(target), $"step {step}");
                    if (held.MovedTo is null) model.QuarantineTarget(held.Quarantine, target);
                    break;
                case 18:
                    model.QuarantineUser((await QuarantineAsync(new QuarantineOrder(null, null, null, [user], $"step {step}"))).Quarantine, user);
                    break;
                case 19 when model.AnyQuarantine(dice) is { } quarantine:
                    await EndAsync("release", quarantine);
                    model.Release(quarantine);
                    break;
            }

            if (step % 10 == 0 && dice.Next(2) == 0) await _silo.ForgetAsync(target);
        }

        for (var target = 0; target < 4; target++)
        {
            var (state, expected) = (await _silo.Target($"t{target}").ReadAsync("u0"), model.UsersOf($"t{target}"));
            (state.Count, state.Hearted).ShouldBe((expected.Count, expected.Contains("u0")), $"t{target}");
            await _silo.ShouldBeExactOfLogAsync($"t{target}");
            (await _silo.Get<Verifier>().VerifyTargetAsync(_silo.Keys.OfTarget($"t{target}"), null, null, Cancellation)).Findings.ShouldBeEmpty();
        }
    }

    private protected abstract Task<HeartStore> OpenAsync();

    private IModerationGrain Desk => _silo.Grains.GetGrain<IModerationGrain>(0);

    private ITargetRuleGrain Rule(string targetId) => _silo.Grains.GetGrain<ITargetRuleGrain>(targetId);

    /// <summary>Gives until it is committed: a busy machine's database may answer late.</summary>
    private async Task<HeartReceipt> GiveAsync(string target, string user)
    {
        HeartReceipt given = default;
        await HeartSilo.UntilAsync(async () => (given = await _silo.Target(target).GiveAsync(user)).Outcome == HeartOutcome.Committed);
        return given;
    }

    private async Task<QuarantineProgress> QuarantineAsync(QuarantineOrder order)
    {
        var arguments = JsonSerializer.Serialize(order, ModerationWorkJson.Default.QuarantineOrder);
        var job = await RunAsync("quarantine", arguments, arguments);
        var progress = JsonSerializer.Deserialize(job.Progress, ModerationWorkJson.Default.QuarantineProgress)!;
        job.State.ShouldBe(progress.MovedTo is null ? JobState.Done : JobState.Failed);
        return progress;
    }

    private async Task<QuarantineProgress> EndAsync(string kind, string quarantine, JobState expected = JobState.Done)
    {
        var job = await RunAsync(kind, quarantine, JsonSerializer.Serialize(new QuarantineEndOrder(quarantine, "a reason"), ModerationWorkJson.Default.QuarantineEndOrder));
        job.State.ShouldBe(expected);
        return JsonSerializer.Deserialize(job.Progress, ModerationWorkJson.Default.QuarantineProgress)!;
    }

    private async Task<JobView> RunAsync(string kind, string subject, string arguments)
    {
        var desk = _silo.Grains.GetGrain<IJobDeskGrain>(0);
        var job = (await desk.StartAsync(new JobOrder(kind, subject, arguments, "key:operator"), Cancellation)).Job!;
        await HeartSilo.UntilAsync(async () => (job = (await desk.ReadAsync(job.Id, Cancellation)).Job!).State != JobState.Running);
        return job;
    }

    /// <summary>Does each page twice, as after a crash before its checkpoint.</summary>
    private Task<Job> RunPagesAsync(string kind, string arguments) =>
        RunPagesAsync(Job.Of(new JobOrder(kind, "subject", arguments, "key:operator"), "subject", TimeProvider.System.NowMicros()));

    private async Task<Job> RunPagesAsync(Job job)
    {
        var (work, now) = (Work(job.Kind), job.StartedMicros);
        while (job.State == JobState.Running)
        {
            await work.RunPageAsync(job, Cancellation);
            job = job.After(await work.RunPageAsync(job, Cancellation), now);
        }

        job.State.ShouldBe(JobState.Done, job.Progress);
        return job;
    }

    private async Task<Quarantine> FindAsync(string id) => (await Desk.QuarantineAsync(id, Cancellation)).Quarantine.ShouldNotBeNull();

    private async Task<string[]> DecisionsAsync()
    {
        var log = _silo.Services.GetRequiredService<IEventLog>();
        var events = await log.ReadAsync(EventPosition.Start, long.MaxValue, default, 10_000, Cancellation);
        return [.. events.Where(logged => logged.Kind == HeartEventKind.Decided).Select(logged => ModerationDetail.ActionOf(logged.Detail!))];
    }
}
