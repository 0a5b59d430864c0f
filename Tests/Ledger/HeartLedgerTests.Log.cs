using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Tests.Ledger;

public abstract partial class HeartLedgerTests
{
    private IEventLog Log => (IEventLog)Ledger;

    [Fact]
    public async Task ReadAsync_HeartsAndDecisions_TellsAllThatIsKnownOfEach()
    {
        var story = new Story("post_1");
        var origin = new HeartOrigin("key:school", "203.0.113.0/24", HeartCause.Moved, "job_1");
        await AppendAsync(story.Give("ann") with { Origin = origin, NetworkMac = 77 }, story.Give("ben"));
        var decided = await Log.DecideAsync(Decide(5, story.Target, "ann"), Cancellation);
        await AppendAsync(story.Withdraw("ben") with { Origin = new HeartOrigin("jwt") });

        var events = await ReadAllAsync();

        events.Select(e => (e.UserId, e.Kind)).ShouldBe(
            [("ann", HeartEventKind.Given), ("ben", HeartEventKind.Given), ("ann", HeartEventKind.Decided), ("ben", HeartEventKind.Withdrawn)]);
        events.ShouldAllBe(e => e.Kind == HeartEventKind.Decided || e.TargetId == "post_1");
        (events[0].Origin, events[0].NetworkMac, events[0].Heart, events[0].Position.Version, events[0].Writer).ShouldBe((origin, 77, story.Heart("ann"), 1, 1));
        (events[1].Origin, events[1].NetworkMac, events[1].About, events[1].Detail).ShouldBe((HeartOrigin.Claimed, 0, null, null));
        (events[2].Position, events[2].TargetId, events[2].Origin.Actor, events[2].About, events[2].Detail).ShouldBe(
            (decided, "", "key:operator", story.Target, """{"action":"frozen"}"""));
        events[3].Origin.Actor.ShouldBe("jwt");
    }

    [Fact]
    public async Task ReadAsync_PageByPage_TellsEachEventOnceInOneOrder()
    {
        var (first, second) = (new Story("post_1"), new Story("post_2"));
        await AppendAsync([.. first.GiveMany("ann", "ben", "cid"), .. second.GiveMany("ann", "ben")]);
        await AppendAsync(first.Withdraw("ann"), second.Give("dan"));
        await Log.DecideAsync(Decide(1, first.Target, ""), Cancellation);

        var (all, byThree) = (await ReadAllAsync(), new List<LoggedEvent>());
        for (var after = EventPosition.Start; ;)
        {
            var page = await Log.ReadAsync(after, long.MaxValue, default, 3, Cancellation);
            byThree.AddRange(page);
            if (page.Count < 3) break;
            after = page[^1].Position;
        }

        byThree.ShouldBe(all);
        all.Count.ShouldBe(8);
    }

    [Fact]
    public async Task ReadAsync_Filtered_TellsOnlyWhatConcernsTargetAndUser()
    {
        var (first, second) = (new Story("post_1"), new Story("post_2"));
        await AppendAsync([.. first.GiveMany("ann", "ben"), .. second.GiveMany("ann")]);
        await Log.DecideAsync(Decide(1, first.Target, "ann"), Cancellation);
        await Log.DecideAsync(Decide(2, null, "ben"), Cancellation);
        await AppendAsync(first.Withdraw("ann"));

        (await ReadAllAsync(new EventFilter(first.Target))).Select(Told).ShouldBe(["ann Given", "ben Given", "ann Decided", "ann Withdrawn"]);
        (await ReadAllAsync(new EventFilter(first.Target), pageSize: 1)).Select(Told).ShouldBe(["ann Given", "ben Given", "ann Decided", "ann Withdrawn"]);
        (await ReadAllAsync(new EventFilter(null, "ben"), pageSize: 1)).Select(Told).ShouldBe(["ben Given", "ben Decided"]);
        (await ReadAllAsync(new EventFilter(second.Target, "ann"), pageSize: 1)).Select(Told).ShouldBe(["ann Given"]);
        (await ReadAllAsync(new EventFilter(first.Target, "ann"), pageSize: 1)).Select(Told).ShouldBe(["ann Given", "ann Decided", "ann Withdrawn"]);

        static string Told(LoggedEvent e) => $"{e.UserId} {e.Kind}";
    }

    [Fact]
    public async Task DecideAsync_Repeated_IsWrittenOnceAndChangesNoCount()
    {
        var story = new Story("post_1");
        await AppendAsync(story.Give("ann"));

        var first = await Log.DecideAsync(Decide(9, story.Target, "ann"), Cancellation);
        var again = await Log.DecideAsync(Decide(9, story.Target, "ann"), Cancellation);
        var other = await Log.DecideAsync(Decide(10, story.Target, "ann"), Cancellation);

        again.ShouldBe(first);
        (first.Version, other.Version).ShouldBe((1, 2));
        await FoldAllAsync();
        await ShouldBeFoldedAsync(story);
        (await Ledger.ListTopAsync(10, Cancellation)).ShouldBe([story.Top]);
    }

    [Fact]
    public async Task DecideAsync_ManyAtOnce_EachHasItsPlace()
    {
        var places = await Task.WhenAll(Enumerable.Range(1, 8).Select(id => Log.DecideAsync(Decide(id, null, ""), Cancellation).AsTask()));

        places.Select(place => place.Version).Order().ShouldBe([1, 2, 3, 4, 5, 6, 7, 8]);
    }

    private static Decision Decide(long id, Guid? about, string user) => new(
        id, 1_750_000_000_000_000, about, user, user.Length == 0 ? default : new HeartId(3, 4), new HeartOrigin("key:operator"), 0, """{"action":"frozen"}""");

    private async Task<IReadOnlyList<LoggedEvent>> ReadAllAsync(EventFilter filter = default, int pageSize = 100)
    {
        var all = new List<LoggedEvent>();
        while (true)
        {
            var page = await Log.ReadAsync(all.Count == 0 ? EventPosition.Start : all[^1].Position, long.MaxValue, filter, pageSize, Cancellation);
            all.AddRange(page);
            if (page.Count < pageSize) return all;
        }
    }
}
