using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Moderation;

namespace HeartGrains.Tests.Ledger;

public abstract partial class HeartLedgerTests
{
    private IModerationStore Moderation => (IModerationStore)Ledger;

    [Fact]
    public async Task FreezeAsync_ThereAndBack_IsReadWithTheTargetAndDecidedOnceEach()
    {
        var story = new Story("post_1");
        await AppendAsync(story.Give("ann"));

        (await FreezeAsync(true, 1)).ShouldBe((true, true));
        (await FreezeAsync(true, 2)).ShouldBe((false, true));
        var rule = (await Ledger.LoadAsync(story.Target, 10, Cancellation)).Rule.ShouldNotBeNull();
        (rule.IsFrozen, rule.MovedTo, rule.Reason, rule.AtMicros).ShouldBe((true, null, "a reason", 1_750_000_000_000_001));
        (await Moderation.FindRuleAsync(story.Target, Cancellation)).ShouldBe(rule);
        await ShouldHoldAsync(story);
        (await FreezeAsync(false, 3)).ShouldBe((true, false));
        (await FreezeAsync(false, 4)).ShouldBe((false, false));

        (await Ledger.LoadAsync(story.Target, 10, Cancellation)).Rule.ShouldBeNull();
        (await Moderation.FindRuleAsync(story.Target, Cancellation)).ShouldBeNull();
        (await ReadAllAsync()).Where(e => e.Kind == HeartEventKind.Decided).Select(e => e.AtMicros % 10).ShouldBe([1, 3]);

        async Task<(bool IsChanged, bool IsFrozen)> FreezeAsync(bool isFrozen, long number)
        {
            var change = await Moderation.FreezeAsync(story.Target, "post_1", isFrozen, "a reason", DecideNow(number, story.Target), Cancellation);
            return (change.IsChanged, change.Rule?.IsFrozen is true);
        }
    }

    [Fact]
    public async Task RedirectAsync_Chains_LeadToTheLastAndNeverRound()
    {
        var (a, b, c, d) = (new Story("a"), new Story("b"), new Story("c"), new Story("d"));

        (await MoveAsync(a, "b", b)).ShouldBe((true, "b", RuleRefusal.None));
        (await MoveAsync(a, "b", b)).ShouldBe((false, "b", RuleRefusal.None));
        (await MoveAsync(a, "c", c)).ShouldBe((false, "b", RuleRefusal.MovedElsewhere));
        (await MoveAsync(b, "a", a)).ShouldBe((false, null, RuleRefusal.Cycle));
        (await MoveAsync(b, "b", b)).ShouldBe((false, null, RuleRefusal.Cycle));
        (await MoveAsync(b, "c", c)).ShouldBe((true, "c", RuleRefusal.None));
        (await MoveAsync(c, "a", a)).ShouldBe((false, null, RuleRefusal.Cycle));

        (await MoveAsync(a, "b", b)).ShouldBe((false, "b", RuleRefusal.None));

        // By way of the old names.
        (await MoveAsync(d, "a", a)).ShouldBe((true, "c", RuleRefusal.None));
        (await Ledger.LoadAsync(a.Target, 10, Cancellation)).Rule!.MovedTo.ShouldBe("b");
        (await Moderation.FreezeAsync(a.Target, "a", true, "both", DecideNow(90, a.Target), Cancellation)).Rule.ShouldBe(new TargetRule(true, "b", "both", 1_750_000_000_000_090));
        (await ReadAllAsync()).Count.ShouldBe(4);
    }

    [Fact]
    public async Task RedirectAsync_ManyMovesOneAfterTheOther_AreBounded()
    {
        for (var hop = 0; hop < 8; hop++)
            (await MoveAsync(new Story($"t{hop}"), $"t{hop + 1}", new Story($"t{hop + 1}"))).Refusal.ShouldBe(RuleRefusal.None);

        (await MoveAsync(new Story("t8"), "t9", new Story("t9"))).ShouldBe((false, null, RuleRefusal.ChainTooLong));
        (await MoveAsync(new Story("other"), "t0", new Story("t0"))).ShouldBe((true, "t8", RuleRefusal.None));
    }

    [Fact]
    public async Task RedirectAsync_EachOntoTheOtherAtOnce_OneIsRefused()
    {
        var (a, b) = (new Story("a"), new Story("b"));

        var moves = await Task.WhenAll(MoveAsync(a, "b", b), MoveAsync(b, "a", a));

        moves.Select(move => move.Refusal).Order().ShouldBe([RuleRefusal.None, RuleRefusal.Cycle]);
    }

    [Fact]
    public async Task MoveOpeningAsync_Repeated_IsAddedOnce()
    {
        var (a, b) = (new Story("a"), new Story("b"));
        await Ledger.SetOpeningAsync(a.Target, "a", 30, HeartLedgerTests.DecideOpening, Cancellation);
        await Ledger.SetOpeningAsync(b.Target, "b", 4, HeartLedgerTests.DecideOpening, Cancellation);

        for (var time = 0; time < 2; time++) (await Moderation.MoveOpeningAsync(a.Target, "a", b.Target, "b", DecideOpening, Cancellation)).ShouldBe(34);

        (await Ledger.LoadAsync(a.Target, 1, Cancellation)).Opening.ShouldBe(0);
        (await Ledger.LoadAsync(b.Target, 1, Cancellation)).Opening.ShouldBe(34);
    }

    [Fact]
    public async Task BlockAsync_BlockedChangedAndEnded_IsToldInOrderAndListedWhileItLasts()
    {
        const long Start = 1_750_000_000_000_000;
        (await BlockAsync("ann", Start + 900, 1)).ShouldBe(new BlockChange(true, 1));
        (await BlockAsync("ann", Start + 900, 2)).ShouldBe(new BlockChange(false, 1));
        (await BlockAsync("ben", Start + 500, 3)).ShouldBe(new BlockChange(true, 2));
        (await BlockAsync("ann", Start + 950, 4)).ShouldBe(new BlockChange(true, 3));
        (await BlockAsync("cid", 0, 5)).IsChanged.ShouldBeFalse();

        (await Moderation.ReadBlocksAsync(0, 10, Cancellation)).Select(e => (e.UntilMicros - Start, e.Revision)).ShouldBe([(500, 2), (950, 3)]);
        (await Moderation.ListBlocksAsync(0, Start + 5, 10, Cancellation)).Select(b => (b.UserId, b.UntilMicros - Start, b.SinceMicros - Start, b.Reason, b.Actor))
            .ShouldBe([("ben", 500, 3, "of a test", "key:operator"), ("ann", 950, 4, "of a test", "key:operator")]);
        (await Moderation.ListBlocksAsync(2, Start + 5, 10, Cancellation)).Select(b => b.UserId).ShouldBe(["ann"]);
        (await Moderation.ListBlocksAsync(0, Start + 600, 10, Cancellation)).Select(b => b.UserId).ShouldBe(["ann"]);

        (await BlockAsync("ann", 0, 6)).ShouldBe(new BlockChange(true, 4));
        (await BlockAsync("ann", 0, 7)).IsChanged.ShouldBeFalse();
        (await Moderation.ReadBlocksAsync(3, 10, Cancellation)).ShouldBe([new BlockEntry(UserOf("ann"), 0, 4)]);
        (await Moderation.ListBlocksAsync(0, Start + 7, 10, Cancellation)).Select(b => b.UserId).ShouldBe(["ben"]);
        (await ReadAllAsync(new EventFilter(null, "ann"))).Count.ShouldBe(3);

        // Ended long ago: nobody needs to hear of it any more.
        (await BlockAsync("dan", Start + 400_000_000_000, 100_000_000_000)).IsChanged.ShouldBeTrue();
        (await Moderation.ReadBlocksAsync(0, 10, Cancellation)).Select(e => e.User).ShouldBe([UserOf("dan")]);

        ValueTask<BlockChange> BlockAsync(string user, long until, long number) => Moderation.BlockAsync(UserOf(user), until, DecideNow(number, null, user), Cancellation);
    }

    [Fact]
    public async Task BlockAsync_ManyAtOnce_RevisionsHaveNoGap()
    {
        await Task.WhenAll(Enumerable.Range(1, 8).Select(BlockAsync));

        (await Moderation.ReadBlocksAsync(0, 10, Cancellation)).Select(e => e.Revision).ShouldBe([1, 2, 3, 4, 5, 6, 7, 8]);

        // On a busy machine one may wait for the others for too long, and the same order again is safe.
        async Task BlockAsync(int n)
        {
            while (true)
            {
                try
                {
                    await Moderation.BlockAsync(UserOf($"u{n}"), long.MaxValue / 2, DecideNow(n, null, $"u{n}"), Cancellation);
                    return;
                }
                catch (LedgerException)
                {
                }
            }
        }
    }

    [Fact]
    public async Task ListLatestAsync_PairWithDecisions_TellsTheLastFirst()
    {
        var (story, other) = (new Story("post_1"), new Story("post_2"));
        await AppendAsync(story.Give("ann"), story.Give("ben"), other.Give("ann"));
        await Log.DecideAsync(DecideNow(1, story.Target, "ann"), Cancellation);
        await AppendAsync(story.Withdraw("ann"));

        (await Moderation.ListLatestAsync(story.Target, "ann", 10, Cancellation)).Select(e => e.Kind)
            .ShouldBe([HeartEventKind.Withdrawn, HeartEventKind.Decided, HeartEventKind.Given]);
        (await Moderation.ListLatestAsync(story.Target, "ann", 1, Cancellation)).Single().Kind.ShouldBe(HeartEventKind.Withdrawn);
        (await Moderation.ListLatestAsync(other.Target, "ben", 10, Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task FindOldestUnfoldedAsync_FoldedAll_IsNull()
    {
        var story = new Story("post_1");
        (await Moderation.FindOldestUnfoldedAsync(Cancellation)).ShouldBeNull();
        await AppendAsync(story.Give("ann"), story.Give("ben"));

        if (await HasUnfoldedAsync()) (await Moderation.FindOldestUnfoldedAsync(Cancellation)).ShouldBe(story.Log[0].AtMicros);
        await FoldAllAsync();
        (await Moderation.FindOldestUnfoldedAsync(Cancellation)).ShouldBeNull();
    }

    [Fact]
    public async Task Quarantine_HeldReleasedAndForgotten_KeepsItsFigures()
    {
        var story = new Story("post_1");
        await AppendAsync(story.GiveMany("ann", "ben", "cid"));
        var quarantine = new Quarantine("q1", QuarantineState.Holding, "post_1", null, 1_760_000_000_000_000, 0, "of a test", "key:operator", 1_750_000_000_000_000);
        for (var time = 0; time < 2; time++) await Moderation.OpenQuarantineAsync(quarantine, DecideNow(1, story.Target), Cancellation);
        (await Moderation.FindQuarantineAsync("q1", Cancellation)).ShouldBe(quarantine);
        (await Moderation.FindQuarantineAsync("q2", Cancellation)).ShouldBeNull();
        HeldHeart[] held = [.. story.Log.Select(e => new HeldHeart(e.Target, e.Version, e.Heart))];
        for (var time = 0; time < 2; time++) await Moderation.HoldAsync("q1", held, Cancellation);
        var job = new HeartOrigin("system", null, HeartCause.Quarantined, "q1");
        await AppendAsync(story.Withdraw("ann") with { Origin = job }, story.Withdraw("ben") with { Origin = job }, story.Give("ben"));

        (await Moderation.ReadHeldAsync("q1", 10, Cancellation)).ShouldBe(
        [
            new HeldState(held[0], "post_1", "ann", HeartEventKind.Withdrawn, "q1"),
            new HeldState(held[1], "post_1", "ben", HeartEventKind.Given, null),
            new HeldState(held[2], "post_1", "cid", HeartEventKind.Given, null),
        ]);
        (await Moderation.ReadHeldAsync("q1", [held[1]], Cancellation)).Single().UserId.ShouldBe("ben");
        (await Moderation.ReadHeldAsync("q1", 2, Cancellation)).Count.ShouldBe(2);
        (await Moderation.FindHoldAsync(story.Target, held[0].Heart, Cancellation)).ShouldBe("q1");
        (await Moderation.FindHoldAsync(story.Target, new HeartId(1, 1), Cancellation)).ShouldBeNull();

        for (var time = 0; time < 2; time++) await Moderation.ForgetHeldAsync("q1", held[..2], 1, 1, Cancellation);
        (await Moderation.AdvanceQuarantineAsync("q1", QuarantineState.Held, QuarantineState.Releasing, null, Cancellation)).ShouldBeFalse();
        (await Moderation.AdvanceQuarantineAsync("q1", QuarantineState.Holding, QuarantineState.Held, DecideNow(2, story.Target), Cancellation)).ShouldBeTrue();
        (await Moderation.FindQuarantineAsync("q1", Cancellation)).ShouldBe(quarantine with { State = QuarantineState.Held, Held = 1, Released = 1, Skipped = 1 });
        (await ReadAllAsync()).Count(e => e.Kind == HeartEventKind.Decided).ShouldBe(2);
    }

    [Fact]
    public async Task ReadHeldAsync_BusyTargetAndManyHearts_FindsTheLastEventOfEach()
    {
        var (busy, quiet) = (new Story("busy"), new Story("quiet"));
        string[] users = [.. Enumerable.Range(0, 300).Select(n => $"u{n:000}")];
        await AppendAsync([.. busy.GiveMany(users), .. quiet.GiveMany(users)]);
        await Moderation.OpenQuarantineAsync(new Quarantine("q1", QuarantineState.Holding, null, null, 1_760_000_000_000_000, 0, "of a test", "key:operator", 1), DecideNow(1, null), Cancellation);
        HeldHeart[] held = [.. busy.Log.Concat(quiet.Log).Select(e => new HeldHeart(e.Target, e.Version, e.Heart))];
        await Moderation.HoldAsync("q1", held, Cancellation);
        var job = new HeartOrigin("system", null, HeartCause.Quarantined, "q1");
        await AppendAsync([.. users.SelectMany(user => (HeartEvent[])[busy.Withdraw(user) with { Origin = job }, quiet.Withdraw(user) with { Origin = job }])]);
        await AppendAsync([busy.Give("u007"), quiet.Give("u008")]);
        for (var batch = 0; batch < 5; batch++) await AppendAsync(busy.GiveMany([.. Enumerable.Range(0, 500).Select(n => $"other {batch} {n}")]));

        var all = await Moderation.ReadHeldAsync("q1", 1_000, Cancellation);
        var named = await Moderation.ReadHeldAsync("q1", held, Cancellation);

        (all.Count, named.Count).ShouldBe((600, 600));
        named.ShouldBe(all, ignoreOrder: true);
        all.Where(state => state.LastKind == HeartEventKind.Given).Select(state => (state.TargetId, state.UserId, state.LastJob))
            .ShouldBe([("busy", "u007", null), ("quiet", "u008", null)], ignoreOrder: true);
        all.Where(state => state.LastKind == HeartEventKind.Withdrawn).ShouldAllBe(state => state.LastJob == "q1");
        await Moderation.ForgetHeldAsync("q1", held[100..], 300, 200, Cancellation);
        (await Moderation.FindQuarantineAsync("q1", Cancellation)).ShouldNotBeNull().ShouldSatisfyAllConditions(
            found => found.Held.ShouldBe(100), found => found.Released.ShouldBe(300), found => found.Skipped.ShouldBe(200));
        await Moderation.HoldAsync("q1", [], Cancellation);
        (await Moderation.ReadHeldAsync("q1", [], Cancellation)).ShouldBeEmpty();
    }

    private async Task<(bool IsChanged, string? MovedTo, RuleRefusal Refusal)> MoveAsync(Story from, string to, Story toStory)
    {
        var change = await Moderation.RedirectAsync(
            from.Target, from.Top.TargetId, toStory.Target, to, "a reason", DecideNow(Random.Shared.NextInt64(1_000_000), from.Target), Cancellation);
        return (change.IsChanged, change.Rule?.MovedTo, change.Refusal);
    }

    private static HeartId UserOf(string user) => HeartId.FromGuid(new Story(user).Target);

    private static Decision DecideNow(long number, Guid? about, string user = "") => new(
        number, 1_750_000_000_000_000 + number, about, user, user.Length == 0 ? default : UserOf(user), new HeartOrigin("key:operator"), 0,
        """{"action":"frozen","reason":"of a test"}""");
}
