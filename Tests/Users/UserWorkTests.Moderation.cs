using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using HeartGrains.Moderation;
using HeartGrains.Tests.Hearts;
using HeartGrains.Users;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.Users;

/// <summary>Whole users and what operators ordered about them; and the log, compared whatever has been done to it.</summary>
public abstract partial class UserWorkTests
{
    private const string Network = "203.0.113.0/24";

    private protected IModerationGrain Desk => _silo.Grains.GetGrain<IModerationGrain>(0);

    [Fact]
    public async Task Erase_BlockedAndInQuarantine_TheNameIsNowhereAndTheBlockStays()
    {
        await GiveAsync("ann", "one", "two");
        await GiveAsync("ben", "one");
        var until = TimeProvider.System.NowMicros() + 3_600_000_000;
        await Desk.BlockAsync("ann", until, "of a test", new HeartOrigin("key:op", "203.0.113.0/24"), Cancellation);
        var quarantine = (await QuarantineAsync(null, "ann")).Id;

        var lines = await ExportRestAsync("ann");
        lines.ShouldContain($$"""
            "reason":"of a test","until":"{{DateTime.UnixEpoch.AddTicks(until * 10):yyyy-MM-dd'T'HH:mm:ss.ffffff}}Z"}
            """);
        lines.ShouldContain($$"""
            {"type":"quarantine","quarantine":"{{quarantine}}","timestamp":"2
            """);
        lines.ShouldContain(""","actor":"key:op","reason":"a farm","hearts":2}""");
        (await ExportRestAsync("ben")).ShouldNotContain("quarantine");
        var receipt = (await EndAsync(await StartAsync("erase-user", "ann", """{"user_id":"ann"}"""))).Id;

        (await EventsAsync()).ShouldAllBe(logged => logged.UserId == "ben" || logged.UserId == "erased:" + receipt);
        var blocked = (await Desk.BlocksAsync(0, 10, Cancellation)).Users.ShouldHaveSingleItem();
        (blocked.UserId, blocked.UntilMicros, blocked.Reason).ShouldBe(("erased:" + receipt, until, "of a test"));
        (await _silo.Target("one").GiveAsync("ann")).Outcome.ShouldBe(HeartOutcome.Blocked);
        var store = _silo.Services.GetRequiredService<IModerationStore>();
        (await store.ReadHeldAsync(quarantine, 10, Cancellation)).Select(held => held.UserId).ShouldBe(["erased:" + receipt, "erased:" + receipt]);
        $"{await _silo.Services.GetRequiredService<IJobStore>().FindAsync(quarantine, Cancellation)}".ShouldNotContain("ann");
        (await ExportRestAsync("ann")).ShouldNotContain("quarantine");

        await EndQuarantineAsync("release", quarantine);
        (await ReadAsync("one")).ShouldBe((1, false));
        (await ReadAsync("two")).ShouldBe((0, false));
        (await Desk.QuarantineAsync(quarantine, Cancellation)).Quarantine!.Skipped.ShouldBe(2);
        (await CompareAsync()).ShouldBe("");
    }

    [Fact]
    public async Task Compare_WhateverWasDone_FindsNoDrift()
    {
        await GiveAsync("reader:r", "old", "both");
        await GiveAsync("ann", "both", "hers", "new");
        await GiveAsync("ben", "old", "hers");
        await _silo.Ledger.FoldAllAsync();
        await EndAsync(await StartAsync("merge-user", "reader:r\nann", """{"reader":"reader:r","account":"ann"}""", Network));
        (await CompareAsync()).ShouldBe("", "after a merge");
        await EndAsync(await StartAsync("move", "old", JsonSerializer.Serialize(new MoveOrder("old", "new", "a reason"), ModerationWorkJson.Default.MoveOrder), Network));
        (await CompareAsync()).ShouldBe("", "after a move");
        var quarantine = (await QuarantineAsync("hers")).Id;
        (await CompareAsync()).ShouldBe("", "in quarantine");
        await EndQuarantineAsync("release", quarantine);
        (await CompareAsync()).ShouldBe("", "after a release");
        var ordered = (await EventsAsync()).Where(static logged => logged.Origin.Job is not null).ToList();
        ordered.ShouldAllBe(static logged => logged.Origin.Network == Network);
        ordered.Select(static logged => logged.Kind == HeartEventKind.Decided ? ModerationDetail.ActionOf(logged.Detail!) : $"{logged.Origin.Cause}").Distinct()
            .ShouldBe(["Merged", "merged", "moved", "Moved", "quarantined", "Quarantined", "released", "Released"]);
        await _silo.Target("hers").Grain.GiveAsync("cid", new HeartOrigin("jwt", "198.51.100.0/24"), Cancellation);
        (await ExportAsync("cid", null)).ShouldContain("198.51.100.0/24");
        (await ExportAsync("ann", null)).ShouldNotContain(Network, Case.Sensitive, "where an operator was is nothing of hers");

        var work = _silo.Services.GetServices<IJobWork>().Single(work => work.Kind == EraseWork.Name);
        var now = TimeProvider.System.NowMicros();
        var job = Job.Of(new JobOrder(EraseWork.Name, "subject", """{"user_id":"ann"}""", "key:op"), "subject", now);
        for (var pages = 0; job.State == JobState.Running; pages++)
        {
            // Each page twice, as after a crash.
            await work.RunPageAsync(job, Cancellation);
            (await CompareAsync()).ShouldBe("", $"in page {pages} of the erasure");
            job = job.After(await work.RunPageAsync(job, Cancellation), now);
        }

        (await EventsAsync()).Count(logged => logged.UserId == "erased:" + job.Id).ShouldBeGreaterThan(8);
        (await EventsAsync()).ShouldNotContain(logged => logged.UserId == "ann" || logged.UserId == "reader:r", "the reader that she was is forgotten with her, also by a page done twice");
        (await EventsAsync()).ShouldNotContain(logged => logged.Origin.Network != null && logged.UserId == "erased:" + job.Id);
        (await CompareAsync()).ShouldBe("", "after the erasure");
        (await EventsAsync()).Where(logged => logged.Kind == HeartEventKind.Decided && logged.UserId.Length > 0 && logged.Origin.Job == job.Id).Select(logged => ModerationDetail.ActionOf(logged.Detail!))
            .ShouldBe(["erasing", "erased"]);
    }

    /// <summary>The kinds of what is found in the sealed log and in every target.</summary>
    private protected async Task<string> CompareAsync()
    {
        var verifier = _silo.Get<Verifier>();
        var seals = _silo.Get<ISealStore>();
        using var chain = new EventChain(_silo.Keys);
        while (await seals.FindUnsealedAsync(Cancellation) is not null) await seals.SealAsync(4, 0, chain, 1_750_000_000_000_000, Cancellation);
        var findings = (await verifier.VerifyBlocksAsync(1, 1_000, Cancellation)).Findings.ToList();
        foreach (var target in await _silo.Get<IAuditStore>().ListTargetsAsync(Guid.Empty, 100, Cancellation)) findings.AddRange((await verifier.VerifyTargetAsync(target, null, null, Cancellation)).Findings);
        return string.Join(", ", findings.Select(static finding => $"{finding.Kind}: {finding.Text}"));
    }

    private protected async Task<JobView> QuarantineAsync(string? target, params string[] users)
    {
        var order = JsonSerializer.Serialize(new QuarantineOrder(target, null, null, users.Length == 0 ? null : users, "a farm"), ModerationWorkJson.Default.QuarantineOrder);
        var job = await EndAsync(await StartAsync("quarantine", order, order, Network));
        job.State.ShouldBe(JobState.Done);
        return job;
    }

    private protected async Task EndQuarantineAsync(string kind, string quarantine) => (await EndAsync(
        await StartAsync(kind, quarantine, JsonSerializer.Serialize(new QuarantineEndOrder(quarantine, "a reason"), ModerationWorkJson.Default.QuarantineEndOrder), Network))).State.ShouldBe(JobState.Done);

    private Task<string> ExportRestAsync(string user) => ExportAsync(user, "rest");

    private async Task<string> ExportAsync(string user, string? after)
    {
        var page = await _silo.Grains.GetGrain<IUserGrain>(0).ExportAsync(user, after, Cancellation);
        page.Outcome.ShouldBe(HeartOutcome.Committed);
        return System.Text.Encoding.UTF8.GetString(page.Lines);
    }
}
