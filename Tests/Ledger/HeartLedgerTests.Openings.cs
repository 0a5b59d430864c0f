using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Tests.Ledger;

public abstract partial class HeartLedgerTests
{
    [Fact]
    public async Task SetOpeningAsync_TargetWithAndWithoutHearts_IsReadBackAndTouchesNothingElse()
    {
        var (loved, unloved) = (new Story("loved"), new Story("unloved"));
        await AppendAsync(loved.GiveMany("ann", "ben"));

        (await Ledger.SetOpeningAsync(loved.Target, "loved", 1_000, HeartLedgerTests.DecideOpening, Cancellation)).ShouldBeTrue();
        (await Ledger.SetOpeningAsync(unloved.Target, "unloved", 9_007_199_254_740_991, HeartLedgerTests.DecideOpening, Cancellation)).ShouldBeTrue();

        foreach (var isFolded in new[] { false, true })
        {
            if (isFolded) await FoldAllAsync();
            (await Ledger.LoadAsync(loved.Target, 10, Cancellation)).Opening.ShouldBe(1_000);
            await ShouldHoldAsync(loved);
            var snapshot = await Ledger.LoadAsync(unloved.Target, 10, Cancellation);
            (snapshot.Opening, snapshot.FoldedCount, snapshot.FoldedVersion, snapshot.Tail.Count).ShouldBe((9_007_199_254_740_991, 0, 0, 0));
        }

        await ShouldBeFoldedAsync(loved);
        (await Ledger.ListTopAsync(10, Cancellation)).ShouldBe([loved.Top]);
    }

    [Fact]
    public async Task SetOpeningAsync_Repeated_ReplacesAndSaysWhetherItChanged()
    {
        var story = new Story("post_1");

        (await SetAsync(7)).ShouldBe((true, 7));
        (await SetAsync(7)).ShouldBe((false, 7));
        (await SetAsync(5)).ShouldBe((true, 5));
        (await SetAsync(0)).ShouldBe((true, 0));
        (await SetAsync(0)).ShouldBe((false, 0));

        async Task<(bool, long)> SetAsync(long opening)
        {
            var isChanged = await Ledger.SetOpeningAsync(story.Target, "post_1", opening, HeartLedgerTests.DecideOpening, Cancellation);
            return (isChanged, (await Ledger.LoadAsync(story.Target, 10, Cancellation)).Opening);
        }
    }

    [Fact]
    public async Task SetOpeningAsync_EachChange_IsAnEventWithWhatItWasAndIs()
    {
        var (story, other) = (new Story("post_1"), new Story("post_2"));
        foreach (var opening in (long[])[7, 7, 5]) await Ledger.SetOpeningAsync(story.Target, "post_1", opening, At(opening), Cancellation);

        // Along with a move, both change.
        await Ledger.SetOpeningAsync(other.Target, "post_2", 30, At(30), Cancellation);
        for (var time = 0; time < 2; time++) (await Moderation.MoveOpeningAsync(story.Target, "post_1", other.Target, "post_2", At(90), Cancellation)).ShouldBe(35);

        (await ReadAllAsync()).Select(told => (told.Kind, told.About == story.Target ? 1 : 2, told.Detail, told.Origin.Actor)).ShouldBe(
        [
            (HeartEventKind.Decided, 1, Detail(0, 7), "key:operator"), (HeartEventKind.Decided, 1, Detail(7, 5), "key:operator"), (HeartEventKind.Decided, 2, Detail(0, 30), "key:operator"),
            (HeartEventKind.Decided, 1, Detail(5, 0), "key:operator"), (HeartEventKind.Decided, 2, Detail(30, 35), "key:operator"),
        ]);
        (await TellAsync(story, 0, 7, 8, 50, 95)).ShouldBe([0, 7, 5, 5, 0]);
        (await TellAsync(other, 29, 30, 95)).ShouldBe([0, 30, 35]);
        (await Audit.FindOpeningAsync(new Story("post_3").Target, long.MaxValue, Cancellation)).ShouldBe(new OpeningAt(0, null));

        static OpeningDecision At(long micros) => (target, _, before, opening) =>
            new(Random.Shared.NextInt64(), micros == 5 ? 8 : micros, target, "", default, new HeartOrigin("key:operator"), 0, Detail(before, opening));

        static string Detail(long before, long opening) => $$"""{"action":"opening_set","opening":{{opening}},"opening_before":{{before}}}""";

        async Task<long?[]> TellAsync(Story of, params long[] times)
        {
            var told = new List<long?>();
            foreach (var at in times) told.Add((await Audit.FindOpeningAsync(of.Target, at, Cancellation)).Decided);
            return [.. told];
        }
    }

    /// <summary>The decision about an opening balance that nobody looks at.</summary>
    internal static Decision DecideOpening(Guid target, string targetId, long before, long opening) =>
        new(Random.Shared.NextInt64(), 1_750_000_000_000_000, target, "", default, new HeartOrigin("key:operator"), 0, $$"""{"action":"opening_set","opening":{{opening}},"opening_before":{{before}}}""");
}
