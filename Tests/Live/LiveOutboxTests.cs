using System.Buffers;
using System.Text;
using System.Text.Json;
using HeartGrains.Gateway.Live;

namespace HeartGrains.Tests.Live;

/// <summary>What one client is sent, and what it is spared.</summary>
public sealed class LiveOutboxTests
{
    private readonly LiveOutbox _outbox = new();
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private int _wakes;

    public LiveOutboxTests() => _outbox.Wake = () => _wakes++;

    [Fact]
    public void Mark_ManyChangesBeforeASend_TheLatestIsSentOnce()
    {
        var post = Watch("post");
        for (var version = 1; version <= 1_000; version++) Change(post, version);

        Sent().ShouldBe([("post", 1_000)]);
        Sent().ShouldBeEmpty();
        _wakes.ShouldBe(1);
    }

    [Fact]
    public void Mark_WhileSending_WakesNobodyAndIsSentNext()
    {
        var post = Watch("post");
        Change(post, 1);
        Sent().ShouldBe([("post", 1)]);

        Change(post, 2);
        _wakes.ShouldBe(1);
        Sent().ShouldBe([("post", 2)]);

        Sent().ShouldBeEmpty();
        Change(post, 3);
        _wakes.ShouldBe(2);
    }

    [Fact]
    public void Mark_VersionNotLaterThanSent_IsNotSent()
    {
        var post = Watch("post");
        Change(post, 7);
        Sent().ShouldBe([("post", 7)]);

        _outbox.Mark(post);
        Sent().ShouldBeEmpty();
        Change(post, 6);
        Sent().ShouldBeEmpty();
    }

    [Fact]
    public void Mark_SinceTheSameVersion_IsNotSent()
    {
        var post = Watch("post", since: 17);
        Change(post, 17);
        Sent().ShouldBeEmpty();

        Change(post, 18);
        Sent().ShouldBe([("post", 18)]);
    }

    [Fact]
    public void Mark_UnknownTarget_IsToldAsVersionZeroUnlessSinceSaysSo()
    {
        Change(Watch("new"), 0);
        Sent().ShouldBe([("new", 0)]);

        Change(Watch("known", since: 0), 0);
        Sent().ShouldBeEmpty();
    }

    [Fact]
    public void Take_ManyTargets_AreOneMessage()
    {
        foreach (var number in Enumerable.Range(0, 200)) Change(Watch($"post \"{number}\""), number + 1);

        Sent().ShouldBe(Enumerable.Range(0, 200).Select(static number => ($"post \"{number}\"", (long)number + 1)));
        Sent().ShouldBeEmpty();
        Change(_outbox.Find("post \"5\"")!, 900);
        Sent().ShouldBe([("post \"5\"", 900)]);
    }

    [Fact]
    public void Take_TargetWatchedNoMore_IsNotSent()
    {
        var post = Watch("post");
        Change(post, 1);
        _outbox.Remove(post);

        Sent().ShouldBeEmpty();
        _outbox.Count.ShouldBe(0);
    }

    [Fact]
    public void Tell_Flood_KeepsFew()
    {
        for (var i = 0; i < 1_000; i++) _outbox.Tell(LiveError.InvalidMessage("no"));

        var told = 0;
        for (var send = _outbox.Take(_buffer); !send.Message.IsEmpty; send = _outbox.Take(_buffer), told++)
            Encoding.UTF8.GetString(send.Message.Span).ShouldBe("""{"error":{"code":"invalid-message","detail":"no"}}""");
        told.ShouldBe(16);
    }

    [Fact]
    public void TellAlive_NothingElseToSend_SendsAnEmptyListOnce()
    {
        _outbox.TellAlive();
        _wakes.ShouldBe(0);

        var post = Watch("post");
        _outbox.TellAlive();
        _outbox.TellAlive();
        _wakes.ShouldBe(1);
        Encoding.UTF8.GetString(_outbox.Take(_buffer).Message.Span).ShouldBe("""{"updates":[]}""");
        Sent().ShouldBeEmpty();

        // What is told anyhow says so too.
        _outbox.TellAlive();
        Change(post, 1);
        Sent().ShouldBe([("post", 1)]);
        Sent().ShouldBeEmpty();
    }

    [Fact]
    public void Close_FirstReason_OvertakesWhatWaits()
    {
        Change(Watch("post"), 1);
        _outbox.Close(LiveClose.GoingAway);
        _outbox.Close(LiveClose.Idle);

        _outbox.Take(_buffer).Close.ShouldBe(LiveClose.GoingAway);
    }

    private LiveSubscription Watch(string target, long since = -1)
    {
        var subscription = new LiveSubscription(new LiveTopic(target), _outbox) { SentVersion = since };
        _outbox.Add(subscription);
        return subscription;
    }

    private void Change(LiveSubscription subscription, long version)
    {
        subscription.Topic.State = new LiveState(subscription.Topic.TargetId, version, version);
        _outbox.Mark(subscription);
    }

    private (string Target, long Version)[] Sent()
    {
        var send = _outbox.Take(_buffer);
        if (send.Message.IsEmpty) return [];
        (string, long)[] updates =
        [
            .. JsonSerializer.Deserialize<JsonElement>(send.Message.Span).GetProperty("updates").EnumerateArray()
                .Select(static update => (update.GetProperty("target_id").GetString()!, update.GetProperty("version").GetInt64())),
        ];
        send.Updates.ShouldBe(updates.Length);
        return updates;
    }
}
