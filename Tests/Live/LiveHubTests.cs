using System.Buffers;
using System.Text;
using HeartGrains.Gateway.Live;
using HeartGrains.Hearts;
using HeartGrains.Live;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Live;

/// <summary>The gateway's watches, over silos that do what a test says and a clock that it moves.</summary>
public sealed class LiveHubTests : IDisposable
{
    private static readonly LiveMetrics Metrics = new();
    private readonly FakeTimeProvider _time = new();
    private readonly Silos _silos = new();
    private readonly LiveHub _hub;

    public LiveHubTests() => _hub = new LiveHub(_silos, Metrics, _time, topicLimit: 3);

    public void Dispose() => _hub.Dispose();

    [Fact]
    public async Task Subscribe_ManyClients_ShareOneWatch()
    {
        _silos.State = new HeartState(HeartOutcome.Committed, 5, 9, null);
        var clients = Enumerable.Range(0, 50).Select(_ => Watch("post")).ToList();
        await TickAsync(TimeSpan.FromMilliseconds(1));

        foreach (var client in clients) Next(client).ShouldBe("""{"updates":[{"target_id":"post","count":5,"version":9}]}""");
        _silos.Watches.ShouldBe(1);

        // Who comes later is told at once, and no silo is asked.
        Next(Watch("post"))!.ShouldContain("\"version\":9");
        _silos.Watches.ShouldBe(1);
    }

    [Fact]
    public async Task Watch_NothingHappens_IsRenewedFourTimesAMinute()
    {
        Watch("post");
        await TickAsync(TimeSpan.FromMilliseconds(1));
        for (var second = 0; second < 60; second++) await TickAsync(TimeSpan.FromSeconds(1));

        _silos.Watches.ShouldBeInRange(1 + 3, 1 + 5);
    }

    [Fact]
    public async Task Renewal_FindsALaterVersion_TellsIt()
    {
        var client = Watch("post");
        await TickAsync(TimeSpan.FromMilliseconds(1));
        Next(client)!.ShouldContain("\"version\":0");

        _silos.State = new HeartState(HeartOutcome.Committed, 2, 2, null);
        await TickAsync(TimeSpan.FromSeconds(20));

        Next(client)!.ShouldContain("\"version\":2");
    }

    [Fact]
    public async Task Told_FasterThanTenTimesASecond_TellsTenAndTheLast()
    {
        var client = Watch("post");
        await TickAsync(TimeSpan.FromMilliseconds(1));
        Next(client);
        var told = new List<string>();
        for (var version = 1; version <= 1_000; version++)
        {
            await _hub.ToldAsync(Batch("post", version));
            _time.Advance(TimeSpan.FromMilliseconds(1));
            if (Next(client) is { } message) told.Add(message);
        }

        _time.Advance(TimeSpan.FromMilliseconds(100));
        if (Next(client) is { } last) told.Add(last);
        told.Count.ShouldBeInRange(9, 11);
        told[^1].ShouldContain("\"version\":1000");
    }

    [Fact]
    public async Task Told_TwoThousandWatchers_AreToldFiveTimesASecond()
    {
        var client = Watch("post");
        for (var i = 1; i < 2_000; i++) Watch("post");
        await TickAsync(TimeSpan.FromMilliseconds(1));
        Next(client);
        var told = 0;
        for (var version = 1; version <= 1_000; version++)
        {
            await _hub.ToldAsync(Batch("post", version));
            _time.Advance(TimeSpan.FromMilliseconds(1));
            if (Next(client) is not null) told++;
        }

        told.ShouldBeInRange(4, 6);
    }

    [Fact]
    public async Task Told_AnEarlierVersion_IsDropped()
    {
        var client = Watch("post");
        await TickAsync(TimeSpan.FromMilliseconds(1));
        await _hub.ToldAsync(Batch("post", 5));
        _time.Advance(TimeSpan.FromSeconds(1));
        Next(client);

        await _hub.ToldAsync(Batch("post", 4));
        _time.Advance(TimeSpan.FromSeconds(1));

        Next(client).ShouldBeNull();
    }

    [Fact]
    public async Task Watch_NotAnswered_IsSaidOnceAndTriedUntilItIs()
    {
        _silos.State = null;
        var client = Watch("post");
        await TickAsync(TimeSpan.FromMilliseconds(1));
        Next(client)!.ShouldContain("\"code\":\"unavailable\"");
        for (var i = 0; i < 100; i++) await TickAsync(TimeSpan.FromMilliseconds(100));
        Next(client).ShouldBeNull();
        _silos.Watches.ShouldBeInRange(6, 12);

        _silos.State = new HeartState(HeartOutcome.Committed, 1, 1, null);
        for (var i = 0; i < 25; i++) await TickAsync(TimeSpan.FromMilliseconds(100));

        Next(client)!.ShouldContain("\"version\":1");
    }

    [Fact]
    public async Task RenewAll_AsksWithinASecondAndAgainAfterTheVote()
    {
        foreach (var target in (string[])["a", "b", "c"]) Watch(target);
        await TickAsync(TimeSpan.FromMilliseconds(1));
        _silos.Watches.ShouldBe(3);

        _hub.RenewAll();
        for (var i = 0; i < 10; i++) await TickAsync(TimeSpan.FromMilliseconds(100));
        _silos.Watches.ShouldBe(6);

        for (var i = 0; i < 70; i++) await TickAsync(TimeSpan.FromMilliseconds(100));
        _silos.Watches.ShouldBe(9);
    }

    [Fact]
    public async Task Told_AWatchIsLost_IsMadeAnewAtOnce()
    {
        Watch("post");
        await TickAsync(TimeSpan.FromMilliseconds(1));

        await _hub.ToldAsync(new LiveBatch([], ["post", "unknown"]));
        await TickAsync(TimeSpan.FromMilliseconds(1));

        _silos.Watches.ShouldBe(2);
    }

    [Fact]
    public async Task Unsubscribe_TheLast_EndsTheWatchOfATargetWithoutAHeart()
    {
        var client = Watch("new");
        await TickAsync(TimeSpan.FromMilliseconds(1));

        _hub.Unsubscribe(client.Find("new")!);
        await TickAsync(TimeSpan.FromSeconds(2));

        _silos.Unwatches.ShouldBe(1);
        _hub.Count.ShouldBe(0);
    }

    [Fact]
    public async Task Unsubscribe_PageLoadedAgain_GoesOnWatching()
    {
        var client = Watch("new");
        await TickAsync(TimeSpan.FromMilliseconds(1));
        _hub.Unsubscribe(client.Find("new")!);

        Next(Watch("new"))!.ShouldContain("\"version\":0");
        await TickAsync(TimeSpan.FromSeconds(2));

        _silos.Unwatches.ShouldBe(0);
        _silos.Watches.ShouldBe(2);
    }

    [Fact]
    public async Task Subscribe_AgainWhileTheWatchIsEnded_WatchesAnew()
    {
        var client = Watch("new");
        await TickAsync(TimeSpan.FromMilliseconds(1));
        _hub.Unsubscribe(client.Find("new")!);
        _silos.Hold = new TaskCompletionSource();
        await TickAsync(TimeSpan.FromSeconds(2));
        _silos.Unwatches.ShouldBe(1);

        Watch("new");
        await TickAsync(TimeSpan.FromMilliseconds(1));
        _silos.Watches.ShouldBe(1);
        _silos.Hold.SetResult();
        await TickAsync(TimeSpan.FromMilliseconds(1));

        await LiveClient.UntilAsync(() => _silos.Watches == 2, "it is not watched");
    }

    [Fact]
    public async Task Unsubscribe_TargetWithHearts_IsForgottenAtOnce()
    {
        _silos.State = new HeartState(HeartOutcome.Committed, 1, 1, null);
        var client = Watch("post");
        await TickAsync(TimeSpan.FromMilliseconds(1));

        _hub.Unsubscribe(client.Find("post")!);
        for (var second = 0; second < 30; second++) await TickAsync(TimeSpan.FromSeconds(1));

        _hub.Count.ShouldBe(0);
        (_silos.Watches, _silos.Unwatches).ShouldBe((1, 0));
    }

    [Fact]
    public void Subscribe_MoreTargetsThanTheGatewayTakes_IsRefused()
    {
        foreach (var target in (string[])["a", "b", "c"]) Watch(target);

        _hub.TrySubscribe(new LiveOutbox(), "d", -1).ShouldBeFalse();
        _hub.TrySubscribe(new LiveOutbox(), "c", -1).ShouldBeTrue();
    }

    [Fact]
    public async Task Outage_ManyTargets_HasFewCallsUnderWay()
    {
        using var hub = new LiveHub(_silos, Metrics, TimeProvider.System, topicLimit: 10_000);
        _silos.Hold = new TaskCompletionSource();
        var outbox = new LiveOutbox();
        for (var i = 0; i < 5_000; i++) hub.TrySubscribe(outbox, $"t{i}", -1);
        await LiveClient.UntilAsync(() => _silos.Watches == 256, "calls are missing");
        hub.Calls.ShouldBe((256, 256));

        _silos.Hold.SetResult();
        await LiveClient.UntilAsync(() => _silos.Watches == 5_000, "not all are watched");
    }

    /// <summary>A target that was left and is watched again while an old call is under way is still told of: the old call's end takes nothing away.</summary>
    [Fact]
    public async Task Watch_AgainWhileAnOldRenewalIsUnderWay_IsToldOfChanges()
    {
        _silos.State = new HeartState(HeartOutcome.Committed, 1, 1, null);
        var first = Watch("post");
        await TickAsync(TimeSpan.FromMilliseconds(1));
        _silos.Hold = new TaskCompletionSource();
        var old = _silos.Hold;
        await TickAsync(TimeSpan.FromSeconds(20));
        _silos.Hold = null;
        _hub.Unsubscribe(first.Find("post")!);
        var second = Watch("post");
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await LiveClient.UntilAsync(() => _hub.Calls.UnderWay == 1, "the new watch has not been answered");
        old.SetResult();
        await LiveClient.UntilAsync(() => _hub.Calls.UnderWay == 0, "the old call goes on");

        _hub.Count.ShouldBe(1);
        Next(second);
        _time.Advance(TimeSpan.FromSeconds(1));
        await _hub.ToldAsync(Batch("post", 2));
        Next(second)!.ShouldContain("\"version\":2");
    }

    [Fact]
    public async Task Subscribe_SinceAVersionTheTargetHasNotReached_IsToldWhatASiloSays()
    {
        _silos.State = new HeartState(HeartOutcome.Committed, 1, 1, null);
        var outbox = new LiveOutbox();
        _hub.TrySubscribe(outbox, "post", since: 57);

        // A call that was under way before may have asked before the version was reached: the next one tells.
        await TickAsync(TimeSpan.FromMilliseconds(1));
        await TickAsync(TimeSpan.FromMilliseconds(500));
        Next(outbox)!.ShouldContain("\"version\":1");

        // Also where the target is watched already; and a claim that is true is believed.
        var other = new LiveOutbox();
        _hub.TrySubscribe(other, "post", since: 57);
        Next(other).ShouldBeNull();
        await TickAsync(TimeSpan.FromMilliseconds(1));
        await TickAsync(TimeSpan.FromMilliseconds(500));
        Next(other)!.ShouldContain("\"version\":1");
        var third = new LiveOutbox();
        _hub.TrySubscribe(third, "post", since: 1);
        await TickAsync(TimeSpan.FromSeconds(30));
        Next(third).ShouldBeNull();
    }

    [Fact]
    public async Task Subscribe_AgainOnOneConnection_IsToldNothingOlderThanBefore()
    {
        _silos.State = new HeartState(HeartOutcome.Committed, 10, 10, null);
        var outbox = Watch("post");
        await TickAsync(TimeSpan.FromMilliseconds(1));
        Next(outbox)!.ShouldContain("\"version\":10");
        _hub.Unsubscribe(outbox.Find("post")!);

        // A silo that hung.
        _silos.State = new HeartState(HeartOutcome.Committed, 9, 9, null);
        _hub.TrySubscribe(outbox, "post", since: -1);
        await TickAsync(TimeSpan.FromMilliseconds(1));
        Next(outbox).ShouldBeNull();
        _time.Advance(TimeSpan.FromSeconds(1));
        await _hub.ToldAsync(Batch("post", 10));
        Next(outbox)!.ShouldContain("\"version\":10");
    }

    [Fact]
    public async Task Subscribe_TargetsThatWereLeft_KeepNobodyOut()
    {
        for (var round = 0; round < 20; round++)
        {
            var outbox = Watch($"left-{round}");
            _hub.Unsubscribe(outbox.Find($"left-{round}")!);
        }

        Watch("post");
        await TickAsync(TimeSpan.FromMilliseconds(1));
    }

    private static LiveBatch Batch(string target, long version) => new([new LiveUpdate(target, version, version)], []);

    private LiveOutbox Watch(string target)
    {
        var outbox = new LiveOutbox();
        _hub.TrySubscribe(outbox, target, since: -1).ShouldBeTrue();
        return outbox;
    }

    private static string? Next(LiveOutbox outbox)
    {
        var message = outbox.Take(new ArrayBufferWriter<byte>()).Message;
        return message.IsEmpty ? null : Encoding.UTF8.GetString(message.Span);
    }

    /// <summary>Moves the clock, and waits until what that began has gone as far as it goes.</summary>
    private async Task TickAsync(TimeSpan time)
    {
        _time.Advance(time);
        await LiveClient.UntilAsync(() => _hub.Calls is var (started, underWay) && _silos.Calls == started && (underWay == 0 || _silos.Hold is { Task.IsCompleted: false }), "calls are under way");
    }

    private sealed class Silos : ILiveSilos
    {
        private int _watches;
        private int _unwatches;

        public HeartState? State { get; set; } = new HeartState(HeartOutcome.Committed, 0, 0, null);

        public TaskCompletionSource? Hold { get; set; }

        public int Watches => _watches;

        public int Unwatches => _unwatches;

        public int Calls => _watches + _unwatches;

        public async Task<HeartState?> WatchAsync(string targetId, ILiveObserver observer)
        {
            Interlocked.Increment(ref _watches);
            if (Hold is { } hold) await hold.Task;
            return State;
        }

        public async Task UnwatchAsync(string targetId, ILiveObserver observer)
        {
            Interlocked.Increment(ref _unwatches);
            if (Hold is { } hold) await hold.Task;
        }
    }
}
