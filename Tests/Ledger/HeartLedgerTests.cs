using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Tests.Ledger;

/// <summary>What every ledger promises. Each test has a store of its own.</summary>
public abstract partial class HeartLedgerTests : IAsyncLifetime
{
    protected const string Key = "fingerprint-of-the-key";

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    protected IHeartLedger Ledger { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        await PrepareStoreAsync();
        await ReopenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync(Ledger);
        await RemoveStoreAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task LoadAsync_TargetNeverSeen_IsEmpty()
    {
        var snapshot = await Ledger.LoadAsync(Guid.NewGuid(), 10, Cancellation);

        (snapshot.FoldedCount, snapshot.FoldedVersion, snapshot.Recent.Count, snapshot.Tail.Count).ShouldBe((0, 0, 0, 0));
    }

    [Fact]
    public async Task AppendAsync_SeveralTargets_ReadsBackWhatWasWritten()
    {
        var (first, second) = (new Story("post_1"), new Story("post_2", writer: -7));

        await AppendAsync([.. first.GiveMany("ann", "ben"), first.Withdraw("ann"), .. second.GiveMany("cid")]);

        await ShouldHoldAsync(first);
        await ShouldHoldAsync(second);
    }

    [Fact]
    public async Task AppendAsync_EmptyBatch_IsCommitted() =>
        (await Ledger.AppendAsync(ReadOnlyMemory<HeartEvent>.Empty)).ShouldBe(AppendOutcome.Committed);

    [Fact]
    public async Task AppendAsync_VersionTaken_WritesNothingOfTheBatch()
    {
        var (rival, stale, neighbour, earlier) = (new Story("contested"), new Story("contested", writer: 2), new Story("a neighbour"), new Story("b"));
        await AppendAsync(rival.GiveMany("ann"));

        var outcome = await Ledger.AppendAsync(Batch([.. stale.GiveMany("zoe", "yan"), .. neighbour.GiveMany("ben"), .. earlier.GiveMany("cid")]));

        outcome.ShouldBe(AppendOutcome.Conflict);
        await ShouldHoldAsync(rival);
        (await Ledger.LoadAsync(neighbour.Target, 10, Cancellation)).Tail.ShouldBeEmpty();
        (await Ledger.LoadAsync(earlier.Target, 10, Cancellation)).Tail.ShouldBeEmpty();
        await AppendAsync([.. new Story("a neighbour").GiveMany("ben")]);
    }

    [Fact]
    public async Task FindVersionsAsync_SomeWritten_NamesTheirWriters()
    {
        var (rival, stale, unseen) = (new Story("contested", writer: 11), new Story("contested", writer: 22), new Story("unseen", writer: 22));
        await AppendAsync(rival.GiveMany("ann"));

        var found = await Ledger.FindVersionsAsync(Batch([.. stale.GiveMany("zoe", "yan"), .. unseen.GiveMany("zoe")]), Cancellation);

        found.ShouldBe([new WrittenVersion(rival.Target, 1, 11)]);
    }

    [Fact]
    public async Task LoadAsync_PartlyFolded_ProjectionAndTailMakeTheTarget()
    {
        var story = new Story("post_1");
        await AppendAsync(story.GiveMany("ann", "ben", "cid"));
        await FoldAllAsync();

        await AppendAsync([story.Withdraw("ben"), story.Give("dan")]);

        await ShouldHoldAsync(story);
        await FoldAllAsync();
        await ShouldHoldAsync(story);
        await ShouldBeFoldedAsync(story);
    }

    [Fact]
    public async Task LoadAsync_MoreHeartsThanAskedFor_ReturnsTheNewest()
    {
        var story = new Story("post_1");
        await AppendAsync(story.GiveMany([.. Enumerable.Range(0, 30).Select(i => $"u{i}")]));
        await FoldAllAsync();

        var snapshot = await Ledger.LoadAsync(story.Target, 7, Cancellation);

        snapshot.FoldedCount.ShouldBe(30);
        snapshot.Recent.Select(heart => heart.Version).ShouldBe([30, 29, 28, 27, 26, 25, 24]);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task FindHeartAsync_GivenWithdrawnAndGivenAgain_FollowsTheLog(bool foldBefore, bool foldAfter)
    {
        var story = new Story("post_1");
        (await Ledger.FindHeartAsync(story.Target, story.Heart("ann"), Cancellation)).ShouldBeNull();

        foreach (var step in new Func<HeartEvent>[] { () => story.Give("ann"), () => story.Withdraw("ann"), () => story.Give("ann") })
        {
            var written = step();
            await AppendAsync([written]);
            if (foldBefore)
                await FoldAllAsync();
            await AppendAsync([story.Toggle("someone else")]);
            if (foldAfter)
                await FoldAllAsync();

            CurrentHeart? expected = written.Kind == HeartEventKind.Given ? new CurrentHeart(written.Heart, written.AtMicros, written.Version) : null;
            (await Ledger.FindHeartAsync(story.Target, written.Heart, Cancellation)).ShouldBe(expected);
        }
    }

    [Fact]
    public async Task ListUsersAsync_HeartsArriveBetweenPages_NeitherSkipsNorRepeats()
    {
        var story = new Story("post_1");
        string[] users = [.. Enumerable.Range(0, 25).Select(i => $"u{i}")];
        await AppendAsync(story.GiveMany(users));
        await FoldAllAsync();

        var seen = new List<HeartUser>();
        for (var before = long.MaxValue; ;)
        {
            var page = (await Ledger.ListUsersAsync(story.Target, before, 4, Cancellation)).Users;
            if (page.Length == 0)
                break;
            seen.AddRange(page);
            before = page[^1].Version;
            await AppendAsync([story.Give($"late {before}")]);
            await FoldAllAsync();
        }

        seen.Select(user => user.UserId).ShouldBe(users.Reverse());
        seen.Select(user => user.Version).ShouldBeInOrder(SortDirection.Descending);
        seen.ShouldAllBe(user => user.Id == story.Heart(user.UserId) && user.GivenAtMicros == story.Log[(int)user.Version - 1].AtMicros);
    }

    [Fact]
    public async Task ListUsersAsync_GivenAgain_ListsTheUserOnceAndNewest()
    {
        var story = new Story("post_1");
        await AppendAsync([story.Give("ann"), story.Give("ben"), story.Withdraw("ann"), story.Give("ann"), story.Give("cid"), story.Withdraw("cid")]);
        await FoldAllAsync();

        var users = (await Ledger.ListUsersAsync(story.Target, long.MaxValue, 10, Cancellation)).Users;

        users.Select(user => (user.UserId, user.Version)).ShouldBe([("ann", 4), ("ben", 2)]);
    }

    [Fact]
    public async Task ListUsersAsync_MostTakenBack_LooksAtAWindowAPageAndFindsAllInTheEnd()
    {
        var story = new Story("post_1");
        await AppendAsync([story.Give("first")]);
        for (var batch = 0; batch < 11; batch++)
            await AppendAsync([.. Enumerable.Range(0, 500).SelectMany(_ => (HeartEvent[])[story.Give("ann"), story.Withdraw("ann")])]);
        await AppendAsync([story.Give("last")]);
        await FoldAllAsync();

        var newest = await Ledger.ListUsersAsync(story.Target, long.MaxValue, 10, Cancellation);
        (newest.Users.Select(user => user.UserId).ShouldHaveSingleItem(), newest.Floor).ShouldBe(("last", story.Version + 1 - HeartUserPage.Window));

        var rest = await Ledger.ListUsersAsync(story.Target, newest.Floor, 10, Cancellation);
        (rest.Users.Select(user => user.UserId).ShouldHaveSingleItem(), rest.Floor).ShouldBe(("first", 1));
    }

    [Fact]
    public async Task ListTopAsync_SomeWithdrawn_OrdersByCountAndLeavesOutEmptyTargets()
    {
        var (small, big, middle, empty) = (new Story("small"), new Story("big"), new Story("middle"), new Story("empty"));
        await AppendAsync([.. small.GiveMany("a"), .. big.GiveMany("a", "b", "c"), .. middle.GiveMany("a", "b", "c"), empty.Give("a"), empty.Withdraw("a")]);
        await AppendAsync([middle.Withdraw("b")]);
        await FoldAllAsync();

        (await Ledger.ListTopAsync(10, Cancellation)).ShouldBe([new("big", 3, 3), new("middle", 2, 4), new("small", 1, 1)]);
        (await Ledger.ListTopAsync(2, Cancellation)).Length.ShouldBe(2);
    }

    [Theory]
    [InlineData("it's; drop table heart_event; --\"quoted\" \\ $1 ?1 @x")]
    [InlineData("https://例え.jp/a%2Fb//c/../d?x=1&y=é#frag")]
    [InlineData("👩‍❤️‍💋‍👩 한글 \u00a0 ﷽")]
    public async Task AppendAsync_UnusualText_ComesBackAsGiven(string text)
    {
        var story = new Story(text);
        await AppendAsync(story.GiveMany(text, text + "2"));
        await FoldAllAsync();

        (await Ledger.ListUsersAsync(story.Target, long.MaxValue, 10, Cancellation)).Users.ShouldBe(story.Users);
        (await Ledger.ListTopAsync(1, Cancellation)).ShouldBe([story.Top]);
    }

    [Fact]
    public async Task InitializeAsync_AnotherKey_IsRefused()
    {
        var error = await Should.ThrowAsync<LedgerException>(() => Ledger.InitializeAsync("another", Cancellation));

        error.Message.ShouldContain("another key");
        await Ledger.InitializeAsync(Key, Cancellation);
    }

    [Fact]
    public async Task CheckAsync_StoreAnswers_DoesNotThrow() => await Ledger.CheckAsync(Cancellation);

    /// <summary>A ledger over this test's store, as another process would open it.</summary>
    protected abstract IHeartLedger OpenLedger();

    protected virtual Task PrepareStoreAsync() => Task.CompletedTask;

    protected virtual Task RemoveStoreAsync() => Task.CompletedTask;

    /// <summary>What a restart does.</summary>
    protected async Task ReopenAsync()
    {
        await CloseAsync(Ledger);
        Ledger = OpenLedger();
        await Ledger.InitializeAsync(Key, Cancellation);
    }

    protected static async Task CloseAsync(IHeartLedger? ledger)
    {
        if (ledger is IAsyncDisposable asyncDisposable)
            await asyncDisposable.DisposeAsync();
        else if (ledger is IDisposable disposable)
            disposable.Dispose();
    }

    protected static ReadOnlyMemory<HeartEvent> Batch(IEnumerable<HeartEvent> events) =>
        events.OrderBy(e => e.Target).ThenBy(e => e.Version).ToArray();

    protected async Task AppendAsync(params HeartEvent[] events) =>
        (await Ledger.AppendAsync(Batch(events))).ShouldBe(AppendOutcome.Committed);

    protected async Task FoldAllAsync(int limit = 5_000)
    {
        do
        {
            await Ledger.FoldAsync(limit, Cancellation);
        }
        while (await HasUnfoldedAsync());
    }

    /// <summary>Whether the log holds more than the projections; a fold that returned 0 may only have been held back.</summary>
    protected abstract Task<bool> HasUnfoldedAsync();

    /// <summary>The target as a grain would rebuild it is the target as the log tells it.</summary>
    private protected async Task ShouldHoldAsync(Story story)
    {
        var snapshot = await Ledger.LoadAsync(story.Target, int.MaxValue, Cancellation);
        var hearts = snapshot.Recent.ToDictionary(heart => heart.Id);
        snapshot.FoldedCount.ShouldBe(hearts.Count);
        snapshot.Recent.Select(heart => heart.Version).ShouldBeInOrder(SortDirection.Descending);
        snapshot.Tail.ShouldBe(story.Log.Skip((int)snapshot.FoldedVersion)
            .Select(e => e with { TargetId = e.Version == 1 ? e.TargetId : "" }));
        foreach (var tail in snapshot.Tail)
        {
            if (tail.Kind == HeartEventKind.Given)
                hearts.Add(tail.Heart, new CurrentHeart(tail.Heart, tail.AtMicros, tail.Version));
            else
                hearts.Remove(tail.Heart).ShouldBeTrue();
        }

        hearts.Values.OrderByDescending(heart => heart.Version)
            .ShouldBe(story.Users.Select(user => new CurrentHeart(user.Id, user.GivenAtMicros, user.Version)));
    }

    /// <summary>The projections say all that the log does.</summary>
    private protected async Task ShouldBeFoldedAsync(Story story)
    {
        var snapshot = await Ledger.LoadAsync(story.Target, 0, Cancellation);
        (snapshot.FoldedCount, snapshot.FoldedVersion, snapshot.Tail.Count).ShouldBe((story.Users.Length, story.Version, 0));
        (await Ledger.ListUsersAsync(story.Target, long.MaxValue, int.MaxValue, Cancellation)).Users.ShouldBe(story.Users);
    }
}
