using HeartGrains.Ledger;

namespace HeartGrains.Tests.Ledger;

public abstract partial class HeartLedgerTests
{
    [Fact]
    public async Task SetOpeningAsync_TargetWithAndWithoutHearts_IsReadBackAndTouchesNothingElse()
    {
        var (loved, unloved) = (new Story("loved"), new Story("unloved"));
        await AppendAsync(loved.GiveMany("ann", "ben"));

        (await Ledger.SetOpeningAsync(loved.Target, "loved", 1_000, Cancellation)).ShouldBeTrue();
        (await Ledger.SetOpeningAsync(unloved.Target, "unloved", 9_007_199_254_740_991, Cancellation)).ShouldBeTrue();

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
            var isChanged = await Ledger.SetOpeningAsync(story.Target, "post_1", opening, Cancellation);
            return (isChanged, (await Ledger.LoadAsync(story.Target, 10, Cancellation)).Opening);
        }
    }
}
