using HeartGrains.Ledger;

namespace HeartGrains.Tests.Ledger;

/// <summary>What a ledger promises whose store outlives the process.</summary>
public abstract class LastingLedgerTests : HeartLedgerTests
{
    [Fact]
    public async Task FoldAsync_SmallLimit_ResumesWhereItStoppedInAnotherProcess()
    {
        var story = new Story("post_1");
        foreach (var user in Enumerable.Range(0, 10).Select(i => $"u{i}"))
            await AppendAsync(story.Give(user));

        var folded = await FoldSomeAsync(Ledger, 4);
        folded.ShouldBeInRange(1, 4);
        var next = OpenLedger();
        await next.InitializeAsync(Key, Cancellation);
        while (await HasUnfoldedAsync())
            folded += await FoldSomeAsync(next, 4);
        await CloseAsync(next);

        folded.ShouldBe(10);
        await ShouldBeFoldedAsync(story);
    }

    [Fact]
    public async Task OpenLedger_AfterAnother_FindsEverything()
    {
        var (folded, unfolded) = (new Story("folded"), new Story("unfolded"));
        await AppendAsync(folded.GiveMany("ann", "ben"));
        await FoldAllAsync();
        await AppendAsync([.. unfolded.GiveMany("cid"), folded.Withdraw("ann")]);
        await Ledger.SetOpeningAsync(folded.Target, "folded", 12, HeartLedgerTests.DecideOpening, Cancellation);

        await ReopenAsync();

        (await Ledger.LoadAsync(folded.Target, 10, Cancellation)).Opening.ShouldBe(12);

        await ShouldHoldAsync(folded);
        await ShouldHoldAsync(unfolded);
        await FoldAllAsync();
        await ShouldBeFoldedAsync(folded);
        await ShouldBeFoldedAsync(unfolded);
    }

    [Fact]
    public async Task InitializeAsync_FourProcessesOnAnEmptyStore_AllStart()
    {
        await CloseAsync(Ledger);
        await RemoveStoreAsync();
        await PrepareStoreAsync();
        IHeartLedger[] ledgers = [.. Enumerable.Range(0, 4).Select(_ => OpenLedger())];

        await Task.WhenAll(ledgers.Select(ledger => Task.Run(() => ledger.InitializeAsync(Key, Cancellation), Cancellation)));

        var story = new Story("post_1");
        foreach (var ledger in ledgers)
            (await ledger.AppendAsync(Batch([story.Give($"u{story.Version}")]))).ShouldBe(AppendOutcome.Committed);
        foreach (var ledger in ledgers)
            await CloseAsync(ledger);
        await ReopenAsync();
        await ShouldHoldAsync(story);
    }

    [Fact]
    public async Task InitializeAsync_AnotherKeyLater_IsRefused()
    {
        var other = OpenLedger();

        await Should.ThrowAsync<LedgerException>(() => other.InitializeAsync("another", Cancellation));

        await CloseAsync(other);
    }

    [Fact]
    public async Task AppendAsync_TextThatIsNoUnicode_IsPoisonAndLeavesTheLedgerUsable()
    {
        var (poisoned, healthy) = (new Story("poisoned"), new Story("healthy"));

        var outcome = await Ledger.AppendAsync(Batch([.. healthy.GiveMany("ann"), poisoned.Give("ann") with { UserId = "a lone \ud800" }]));

        outcome.ShouldBe(AppendOutcome.Poison);
        (await Ledger.LoadAsync(healthy.Target, 1, Cancellation)).Tail.ShouldBeEmpty();
        await AppendAsync([.. healthy.Log]);
    }

    [Fact]
    public async Task AppendAsync_RowAgainstTheSchema_IsPoison()
    {
        var outcome = await Ledger.AppendAsync(new[] { new Story("post_1").Give("ann") with { Version = 0 } });

        outcome.ShouldBe(AppendOutcome.Poison);
    }

    private static async Task<int> FoldSomeAsync(IHeartLedger ledger, int limit)
    {
        int folded;
        do
        {
            folded = await ledger.FoldAsync(limit, Cancellation);
        }
        while (folded == 0);
        return folded;
    }
}
