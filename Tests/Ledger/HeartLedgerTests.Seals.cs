using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Users;

namespace HeartGrains.Tests.Ledger;

public abstract partial class HeartLedgerTests
{
    private ISealStore Seals => (ISealStore)Ledger;

    private protected IAuditStore Audit => (IAuditStore)Ledger;

    [Fact]
    public async Task SealAsync_EventsOfManyKinds_ClosesAllOfThemInBlocksThatCanBeMadeAgain()
    {
        var (first, second) = (new Story("post_1"), new Story("post_2"));
        (await SealAllAsync(2)).ShouldBeEmpty();
        (await Seals.FindUnsealedAsync(Cancellation)).ShouldBeNull();
        await AppendAsync([.. first.GiveMany("ann", "ben"), second.Give("ann") with { Origin = new HeartOrigin("key:school", "203.0.113.0/24", HeartCause.Moved, "job_1"), NetworkMac = 7 }]);
        (await Seals.FindUnsealedAsync(Cancellation)).ShouldBe(first.Log[0].AtMicros);
        await Log.DecideAsync(Decide(5, first.Target, "ann"), Cancellation);
        var seals = await SealAllAsync(2);
        await AppendAsync(first.Withdraw("ann"));
        seals.AddRange(await SealAllAsync(2));

        seals.Select(seal => seal.Number).ShouldBe(Enumerable.Range(1, seals.Count).Select(number => (long)number));
        seals.Sum(seal => seal.Events).ShouldBe(5);
        (await Seals.FindUnsealedAsync(Cancellation)).ShouldBeNull();
        (await Seals.FindLastSealAsync(Cancellation))!.ShouldBeEquivalentTo(seals[^1]);
        (await Seals.ReadSealsAsync(1, 100, Cancellation)).ToArray().ShouldBeEquivalentTo(seals.ToArray());
        (await Seals.ReadSealsAsync(2, 1, Cancellation)).Select(seal => seal.Number).ShouldBe([2]);
        await ShouldBeMadeAgainAsync(seals);
    }

    [Fact]
    public async Task SealAsync_SealThatIsKnownIsNotThere_SealsNothing()
    {
        await AppendAsync(new Story("post_1").Give("ann"));
        using var chain = new EventChain(new HeartKeys("a key that only tests know"));

        (await Seals.SealAsync(10, 1, chain, 1, Cancellation)).ShouldBeNull();
        (await Seals.FindLastSealAsync(Cancellation)).ShouldBeNull();
        (await SealAllAsync(10)).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task SealAsync_ByManyAtOnce_EachEventIsInOneBlock()
    {
        var story = new Story("post_1");
        for (var i = 0; i < 30; i++) await AppendAsync(story.Give($"u{i}"), story.Give($"v{i}"));
        var seals = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => TrySealAllAsync(4))));

        await SealAllAsync(4);
        var all = await Seals.ReadSealsAsync(1, 1000, Cancellation);
        all.Sum(seal => seal.Events).ShouldBe(60);
        seals.SelectMany(own => own).Select(seal => seal.Number).ShouldBeUnique();
        await ShouldBeMadeAgainAsync(all);
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(1, 1, 1)]
    [InlineData(2, 2, 2)]
    [InlineData(3, 1, 3)]
    [InlineData(9, 2, 4)]
    public async Task FindAsOfAsync_TimesOfALog_TellsTheStateThen(int after, long count, long version)
    {
        var story = new Story("post_1");
        await AppendAsync(story.Give("ann"), story.Give("ben"), story.Withdraw("ann"), story.Give("ann"));
        await FoldAllAsync();

        (await Audit.FindAsOfAsync(story.Target, 1_750_000_000_000_000 + after, Cancellation)).ShouldBe(new TargetAt(true, count, version));
    }

    [Fact]
    public async Task FindAsOfAsync_ClockSteppedBack_TellsAStateThatWas()
    {
        var story = new Story("post_1");
        await AppendAsync(story.Give("ann"), story.Give("ben") with { AtMicros = 1_750_000_000_000_900 }, story.Withdraw("ann"));

        (await Audit.FindAsOfAsync(story.Target, 1_750_000_000_000_500, Cancellation)).ShouldBe(new TargetAt(true, 1, 3));
    }

    [Fact]
    public async Task ListTargetsAsync_ByTwo_TellsEachOnceWithoutTheDesk()
    {
        Story[] stories = [.. Enumerable.Range(0, 5).Select(i => new Story($"post_{i}"))];
        await AppendAsync([.. stories.SelectMany(story => story.GiveMany("ann", "ben"))]);
        await Log.DecideAsync(Decide(5, null, ""), Cancellation);
        await FoldAllAsync();
        var (frozen, decided) = (new Story("frozen"), new Story("decided"));
        await Moderation.FreezeAsync(frozen.Target, "frozen", true, "a reason", Decide(6, null, ""), Cancellation);
        await Log.DecideAsync(Decide(7, decided.Target, ""), Cancellation);

        var listed = new List<Guid>();
        while (await Audit.ListTargetsAsync(listed.Count == 0 ? Guid.Empty : listed[^1], 2, Cancellation) is { Count: > 0 } page) listed.AddRange(page);

        listed.ShouldBe(stories.Append(frozen).Append(decided).Select(story => story.Target).Order());
        var names = await Audit.FindNamesAsync([stories[1].Target, Guid.NewGuid()], Cancellation);
        names.ShouldBe([KeyValuePair.Create(stories[1].Target, "post_1")]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RebuildAsync_PartlyFolded_LeavesWhatIsRightAsItIs(bool isFolded)
    {
        var story = new Story("post_1");
        await AppendAsync(story.GiveMany("ann", "ben", "cid"));
        if (isFolded) await FoldAllAsync();
        await AppendAsync([story.Withdraw("ben"), story.Give("dan")]);

        await Audit.RebuildAsync(story.Target, Cancellation);
        await Audit.RebuildAsync(Guid.NewGuid(), Cancellation);

        await ShouldHoldAsync(story);
        await FoldAllAsync();
        await ShouldBeFoldedAsync(story);
        (await Ledger.ListTopAsync(10, Cancellation)).ShouldBe([story.Top]);
    }

    [Fact]
    public async Task TryTakeTurnAsync_AnotherHasIt_IsRefusedUntilItEnds()
    {
        var place = new WatchPlace(12, new Guid("01020304-0506-0708-090a-0b0c0d0e0f10"));
        (await Audit.TryTakeTurnAsync(100, 200, Cancellation)).ShouldBe(new WatchPlace(0, Guid.Empty));
        (await Audit.TryTakeTurnAsync(199, 300, Cancellation)).ShouldBeNull();
        await Audit.EndTurnAsync(place, 150, Cancellation);
        (await Audit.TryTakeTurnAsync(149, 300, Cancellation)).ShouldBeNull();
        (await Audit.TryTakeTurnAsync(150, 300, Cancellation)).ShouldBe(place);
        (await Audit.TryTakeTurnAsync(300, 400, Cancellation)).ShouldBe(place);
    }

    [Fact]
    public async Task FindDecisionsAsync_AndCountAsync_FindWhatIsOfTheOperation()
    {
        var story = new Story("post_1");
        await AppendAsync(story.GiveMany("ann", "ben"));
        await AppendAsync(story.Withdraw("ann"));
        await Log.DecideAsync(Decide(5, null, "") with { Detail = """{"action":"erased","receipt":"r1"}""", Origin = new HeartOrigin("key:operator", null, HeartCause.Erased, "r1") }, Cancellation);
        await Log.DecideAsync(Decide(6, null, "ann"), Cancellation);

        (await Audit.FindDecisionsAsync("r1", Cancellation)).ShouldBe(["""{"action":"erased","receipt":"r1"}"""]);
        (await Audit.FindDecisionsAsync("r2", Cancellation)).ShouldBeEmpty();
        (await ((IUserLog)Ledger).CountAsync("ann", "none", Cancellation)).Rows.ShouldBe(3);
    }

    // Another fold, or autovacuum, may hold the horizon back for a moment.
    private protected async Task<List<EventSeal>> SealAllAsync(int limit)
    {
        var seals = await TrySealAllAsync(limit);
        while (await Seals.FindUnsealedAsync(Cancellation) is not null) seals.AddRange(await TrySealAllAsync(limit));
        return seals;
    }

    private async Task<List<EventSeal>> TrySealAllAsync(int limit)
    {
        using var chain = new EventChain(new HeartKeys("a key that only tests know"));
        var seals = new List<EventSeal>();
        while (true)
        {
            try
            {
                if (await Seals.SealAsync(limit, seals.Count, chain, 1_750_000_000_000_000 + seals.Count, Cancellation) is not { } seal) return seals;
                seals.Add(seal);
            }
            catch (LedgerException)
            {
                // SQLite is one process's: the key refuses what another has sealed.
            }
        }
    }

    private async Task ShouldBeMadeAgainAsync(IReadOnlyList<EventSeal> seals)
    {
        using var chain = new EventChain(new HeartKeys("a key that only tests know"));
        var (hash, position) = (EventChain.Origin, 0L);
        foreach (var seal in seals)
        {
            chain.Start(hash, seal.Number);
            await Seals.ScanAsync(position, seal.Position, (in row) => chain.Add(row), Cancellation);
            chain.Finish(seal.Position, seal.AtMicros).ShouldBeEquivalentTo(seal);
            chain.IsGenuine(seal).ShouldBeTrue();
            (hash, position) = (seal.Hash, seal.Position);
        }
    }
}
