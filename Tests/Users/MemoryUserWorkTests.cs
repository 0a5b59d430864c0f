using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using HeartGrains.Moderation;
using HeartGrains.RateLimiting;
using HeartGrains.Tests.Infrastructure;
using HeartGrains.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace HeartGrains.Tests.Users;

/// <summary>What depends on no ledger, over the one in memory.</summary>
public sealed partial class MemoryUserWorkTests
{
    private static readonly HeartOrigin Operator = new("key:op");

    [Fact]
    public async Task Erase_QuotaSpent_StaysSpent()
    {
        await ReplaceAsync(
            ("RateLimits:Policies:0:Name", "user"), ("RateLimits:Policies:0:Dimension", "user"), ("RateLimits:Policies:0:TokenLimit", "60"), ("RateLimits:Policies:0:TokensPerPeriod", "1"), ("RateLimits:Policies:0:ReplenishmentPeriod", "01:00:00"));
        await GiveAsync("ann", "post");
        var whole = (await Quota("ann").ReadAsync(["user"], Cancellation))[0].Remaining;
        (await Quota("ann").AcquireAsync([new QuotaClaim("user", whole)], Cancellation)).IsAcquired.ShouldBeTrue();

        await EndAsync(await StartAsync("erase-user", "ann", """{"user_id":"ann"}"""));

        whole.ShouldBeGreaterThan(2);
        (await Quota("ann").AcquireAsync([new QuotaClaim("user", 2)], Cancellation)).IsAcquired.ShouldBeFalse();
    }

    [Theory]
    [InlineData("erase-user", "nobody", """{"user_id":"nobody"}""", """{"hearts":0,"rows":0}""")]
    [InlineData("merge-user", "reader:new\nann", """{"reader":"reader:new","account":"ann"}""", """{"moved":0,"already":0,"targets":0}""")]
    public async Task Start_NothingToDo_SaysSoAndWritesNothingDown(string kind, string subject, string arguments, string progress)
    {
        await GiveAsync("ann", "post");

        var job = await StartAsync(kind, subject, arguments);

        (job.State, job.Progress).ShouldBe((JobState.Done, progress));
        (await _silo.Get<IJobStore>().FindAsync(job.Id, Cancellation)).ShouldBeNull();
        (await EventsAsync()).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Erase_WhileAReleaseHasReadTheName_ForgetsWhatThatGivesToo()
    {
        await ReplaceAsync(("Jobs:Parallelism", "1"));
        await GiveAsync("ben", "his");
        await GiveAsync("ann", "hers");
        var quarantine = (await QuarantineAsync(null, "ben", "ann")).Id;
        var gate = _silo.Ledger.Close();
        var release = await StartAsync("release", quarantine, $$"""{"id":"{{quarantine}}","reason":"a test"}""");
        await gate.Reached;

        // His is on its way, hers is to come.
        var erasure = await StartAsync("erase-user", "ann", """{"user_id":"ann"}""");
        await UntilAwaitingAsync(erasure.Id);
        gate.Open();

        await EndAsync(release);
        (await EndAsync(erasure)).State.ShouldBe(JobState.Done);
        (await EventsAsync()).ShouldNotContain(logged => logged.UserId == "ann");
        (await ReadAsync("hers")).ShouldBe((0, false));
        (await ReadAsync("his")).ShouldBe((1, false));
        (await CompareAsync()).ShouldBe("");
    }

    [Fact]
    public async Task Erase_LastPageDoneAgainWhenSheHasComeBack_LeavesHerAloneAndTheFigureAsItWasSaid()
    {
        await GiveAsync("ann", "one", "two");
        var work = _silo.Services.GetServices<IJobWork>().Single(work => work.Kind == EraseWork.Name);
        var job = Job.Of(new JobOrder(EraseWork.Name, "subject", """{"user_id":"ann"}""", "key:op"), "subject", 1);
        var page = await work.RunPageAsync(job, Cancellation);
        for (; page.State == JobState.Running; page = await work.RunPageAsync(job, Cancellation)) job = job.After(page, 2);

        // Decided, and not stored.
        await GiveAsync("ann", "one");
        var again = await work.RunPageAsync(job, Cancellation);

        again.ShouldBe(page);
        (await ReadAsync("one")).ShouldBe((1, true));
        (await CompareAsync()).ShouldBe("");
    }

    [Fact]
    public async Task Merge_EachPageDoneTwice_SaysItOnceAndAnErasureFindsTheReader()
    {
        await GiveAsync("reader:r", "mine", "both");
        await GiveAsync("ann", "both");

        var merged = await RunTwiceAsync(MergeWork.Name, Merge);

        merged.Progress.ShouldBe("""{"moved":1,"already":1,"targets":2}""");
        (await EventsAsync()).Count(logged => logged.Kind == HeartEventKind.Decided).ShouldBe(2);
        (await ReadAsync("mine")).ShouldBe((1, true));
        (await ReadAsync("both")).ShouldBe((1, true));
        (await CompareAsync()).ShouldBe("");
        var erased = await RunTwiceAsync(EraseWork.Name, """{"user_id":"ann"}""");
        erased.Progress.ShouldStartWith("""{"hearts":2,""");
        (await EventsAsync()).ShouldAllBe(logged => logged.UserId == "erased:" + erased.Id);
        (await CompareAsync()).ShouldBe("");
    }

    [Fact]
    public async Task Merge_FrozenTargets_MovesOneToOneAndLeavesWhatBothLoveUntilItThaws()
    {
        await GiveAsync("reader:r", "mine", "both");
        await GiveAsync("ann", "both");
        foreach (var target in (string[])["mine", "both"]) await FreezeAsync(target, true);

        (await EndAsync(await StartAsync("merge-user", "reader:r\nann", Merge))).Progress.ShouldBe("""{"moved":1,"already":0,"targets":2,"left":1}""");

        (await ReadAsync("mine")).ShouldBe((1, true));
        (await ReadAsync("both")).Count.ShouldBe(2);
        (await ReadAsync("both", "reader:r")).Hearted.ShouldBeTrue();
        await FreezeAsync("both", false);
        (await EndAsync(await StartAsync("merge-user", "reader:r\nann", Merge))).Progress.ShouldBe("""{"moved":0,"already":1,"targets":1}""");
        (await ReadAsync("both")).ShouldBe((1, true));
    }

    [Fact]
    public async Task Merge_IntoWhoIsBlocked_IsRefusedAndEndsWhenItIsOrderedMeanwhile()
    {
        await GiveAsync("reader:r", "mine");
        var work = _silo.Services.GetServices<IJobWork>().Single(work => work.Kind == MergeWork.Name);
        var running = Job.Of(new JobOrder(MergeWork.Name, "subject", Merge, "jwt"), "subject", 1);
        running = running.After(await work.RunPageAsync(running, Cancellation), 2);
        await GiveAsync("reader:r", "later");
        var until = TimeProvider.System.NowMicros() + 3_600_000_000;
        await Desk.BlockAsync("ann", until, "of a test", Operator, Cancellation);

        var reply = await _silo.Grains.GetGrain<IJobDeskGrain>(0).StartAsync(new JobOrder("merge-user", "reader:r\nann", Merge, "jwt"), Cancellation);
        reply.ShouldBe(new JobReply(HeartOutcome.Blocked, null, until));
        var page = await work.RunPageAsync(running, Cancellation);
        (page.State, page.Progress).ShouldBe((JobState.Failed, """{"moved":1,"already":0,"targets":1}"""));
        (await ReadAsync("later")).ShouldBe((1, false));

        await Desk.BlockAsync("ann", 0, "enough", Operator, Cancellation);
        (await EndAsync(await StartAsync("merge-user", "reader:r\nann", Merge))).Progress.ShouldBe("""{"moved":1,"already":0,"targets":1}""");
    }

    [Fact]
    public async Task Compare_ManyTargetsOfOneWhoIsForgotten_CountsTheNamesAndLooksForTheDecisionOnce()
    {
        await GiveAsync("ann", [.. Enumerable.Range(0, 12).Select(index => $"post {index}")]);
        await EndAsync(await StartAsync("erase-user", "ann", """{"user_id":"ann"}"""));
        (await CompareAsync()).ShouldBe("");
        var calls = new List<string>();
        var store = Interposed.Before<IAuditStore>(_silo.Get<IAuditStore>(), (method, _) => calls.Add(method));
        var users = Interposed.Before<IUserLog>(_silo.Get<IUserLog>(), (method, _) => calls.Add(method));
        var verifier = ActivatorUtilities.CreateInstance<Verifier>(_silo.Services, store, users);

        var chain = await verifier.VerifyBlocksAsync(1, 1_000, Cancellation);
        var targets = await store.ListTargetsAsync(Guid.Empty, 100, Cancellation);
        foreach (var target in targets) (await verifier.VerifyTargetAsync(target, null, null, Cancellation)).Findings.ShouldBeEmpty();

        chain.Findings.ShouldBeEmpty();
        targets.Count.ShouldBe(12);
        calls.Count(static method => method == nameof(IUserLog.CountAsync)).ShouldBe(1);
        calls.Count(static method => method == nameof(IAuditStore.FindDecisionsAsync)).ShouldBe(1);
    }

    private async Task FreezeAsync(string target, bool isFrozen) =>
        (await _silo.Grains.GetGrain<ITargetRuleGrain>(target).FreezeAsync(isFrozen, "a count", Operator, Cancellation)).Outcome.ShouldBe(HeartOutcome.Committed);

    /// <summary>Each page is done again before it is stored, as after a crash.</summary>
    private async Task<Job> RunTwiceAsync(string kind, string arguments)
    {
        var work = _silo.Services.GetServices<IJobWork>().Single(work => work.Kind == kind);
        var job = Job.Of(new JobOrder(kind, "subject", arguments, "key:op"), "subject", 1);
        while (job.State == JobState.Running)
        {
            await work.RunPageAsync(job, Cancellation);
            job = job.After(await work.RunPageAsync(job, Cancellation), 2);
        }

        return job;
    }
}
