using HeartGrains.Hearts;
using HeartGrains.Live;

namespace HeartGrains.Gateway.Live;

/// <summary>
/// All that is watched through this gateway: one watch in the silos for each target, however many connections share it. It is renewed every 15 s, and each renewal's answer
/// is the state, so that whatever was lost on the way is made up for; and at once when a silo has come or gone.
/// </summary>
internal sealed class LiveHub : ILiveObserver, IDisposable
{
    /// <summary>Between two messages about one target.</summary>
    public static readonly TimeSpan TellPeriod = TimeSpan.FromMilliseconds(100);

    // Each change is a write for each watcher: beyond a thousand of one target they are told less often than ten times a second, ten thousand once.
    private static readonly TimeSpan TellPeriodOfEach = TimeSpan.FromMilliseconds(0.1);
    private static readonly TimeSpan LongestTellPeriod = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan RenewPeriod = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RenewAllSpread = TimeSpan.FromSeconds(1);

    // A killed silo is voted out within 6 s. What was renewed before may have been told through it.
    private static readonly TimeSpan SecondRound = TimeSpan.FromSeconds(6);

    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(1);

    private const int CallLimit = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, LiveTopic> _topics = [];
    private readonly LiveSchedule _schedule = new();
    private readonly PriorityQueue<LiveTopic, long> _heldBack = new();
    private readonly ILiveSilos _silos;
    private readonly LiveMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly int _topicLimit;
    private readonly ITimer _timer;
    private long _timerAt = long.MaxValue;
    private long _secondRoundAt = long.MaxValue;
    private int _watchedTopics;
    private int _calls;
    private long _started;
    private bool _isOver;

    public LiveHub(ILiveSilos silos, LiveMetrics metrics, TimeProvider time, int topicLimit)
    {
        (_silos, _metrics, _time, _topicLimit) = (silos, metrics, time, topicLimit);

        // Made here, and not by whoever watches first: nothing of what goes on by itself belongs to a request's trace.
        using (ExecutionContext.IsFlowSuppressed() ? default(AsyncFlowControl?) : ExecutionContext.SuppressFlow())
            _timer = time.CreateTimer(static hub => ((LiveHub)hub!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Targets that are watched.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _topics.Count;
        }
    }

    /// <summary>Calls to silos begun, and those of them under way.</summary>
    internal (long Started, int UnderWay) Calls
    {
        get
        {
            lock (_gate) return (_started, _calls);
        }
    }

    /// <summary>
    /// Watches a target for a client that knows version <paramref name="since"/> of it, or −1. False when this gateway watches as many as it takes.
    /// </summary>
    public bool TrySubscribe(LiveOutbox outbox, string targetId, long since)
    {
        lock (_gate)
        {
            if (_isOver) return true;
            if (outbox.Find(targetId) is { } again)
            {
                outbox.Know(again, since);
                Told(again, _time.GetTimestamp());
                return true;
            }

            if (!_topics.TryGetValue(targetId, out var topic))
            {
                // Those that nobody watches any more go by themselves, and keep nobody out.
                if (_watchedTopics >= _topicLimit) return false;
                topic = new LiveTopic(targetId);
                _topics.Add(targetId, topic);
                _metrics.ShowTargets(_topics.Count);
            }

            var subscription = new LiveSubscription(topic, outbox) { SentVersion = since, Place = topic.Subscriptions.Count };
            if (topic.Subscriptions.Count == 0) _watchedTopics++;
            topic.Subscriptions.Add(subscription);
            outbox.Add(subscription);
            Told(subscription, _time.GetTimestamp());

            // It is new, or was about to be watched no more.
            if (topic.Subscriptions.Count == 1) Doubt(topic, _time.GetTimestamp());
        }

        return true;
    }

    /// <summary>Watches no more.</summary>
    public void Unsubscribe(LiveSubscription subscription)
    {
        lock (_gate)
        {
            if (subscription.Place < 0) return;
            subscription.Outbox.Remove(subscription);
            var topic = subscription.Topic;
            var last = topic.Subscriptions[^1];
            topic.Subscriptions[subscription.Place] = last;
            last.Place = subscription.Place;
            topic.Subscriptions.RemoveAt(topic.Subscriptions.Count - 1);
            subscription.Place = -1;
            if (topic.Subscriptions.Count > 0) return;
            _watchedTopics--;
            Leave(topic);
        }
    }

    /// <inheritdoc/>
    public ValueTask ToldAsync(LiveBatch batch)
    {
        _metrics.CountBatch();
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            foreach (ref readonly var update in batch.Updates.AsSpan())
                if (_topics.TryGetValue(update.TargetId, out var topic)) Note(topic, update.Count, update.Version, now);
            foreach (var targetId in batch.Lost)
                if (_topics.TryGetValue(targetId, out var topic)) Doubt(topic, now);
        }

        return default;
    }

    /// <summary>Watches may have been lost: all are renewed within a second, and once more when a silo that died has been voted out.</summary>
    public void RenewAll()
    {
        lock (_gate)
        {
            if (_topics.Count == 0) return;
            RenewAllFrom(_time.GetTimestamp());
            _secondRoundAt = _time.GetTimestamp() + Ticks(SecondRound);
            Arm(_secondRoundAt);
        }
    }

    /// <summary>Asks nobody any more.</summary>
    public void Dispose()
    {
        lock (_gate) _isOver = true;
        _timer.Dispose();
    }

    private void RenewAllFrom(long now)
    {
        var spread = Ticks(RenewAllSpread);
        foreach (var topic in _topics.Values) Doubt(topic, now + Random.Shared.NextInt64(spread));
    }

    private void Doubt(LiveTopic topic, long due)
    {
        if (topic.IsCalling) topic.IsDoubtful = true;
        else if (due < topic.DueAt) Plan(topic, due);
    }

    /// <summary>
    /// Nobody watches any more. A target with hearts stays in its silo's memory anyhow, and is told of for a minute at most. One without would stay for the watch alone: the watch is
    /// ended, in turn with the calls that renew it, and after a moment, for a page that is loaded again is back at once.
    /// </summary>
    private void Leave(LiveTopic topic)
    {
        if (topic.State is { Version: > 0 }) Forget(topic);
        else if (!topic.IsCalling) Plan(topic, _time.GetTimestamp() + Ticks(LeavePatience));
    }

    private void Forget(LiveTopic topic)
    {
        LiveSchedule.Cancel(topic);

        // A late answer of one that was forgotten before must not take away the one that came after it.
        if (_topics.GetValueOrDefault(topic.TargetId) == topic) _topics.Remove(topic.TargetId);
        _metrics.ShowTargets(_topics.Count);
    }

    /// <summary>Takes over a state, unless a later one is known.</summary>
    private void Note(LiveTopic topic, long count, long version, long now)
    {
        if (topic.State is { } known && version <= known.Version) return;
        topic.State = new LiveState(topic.TargetId, count, version);
        if (topic.IsHeldBack)
        {
            _metrics.CountConflated(topic.Subscriptions.Count);
        }
        else if (now >= topic.TellFrom)
        {
            Tell(topic, now);
        }
        else
        {
            topic.IsHeldBack = true;
            _heldBack.Enqueue(topic, topic.TellFrom);
            Arm(topic.TellFrom);
        }
    }

    private void Tell(LiveTopic topic, long now)
    {
        topic.IsHeldBack = false;
        var period = TellPeriodOfEach * topic.Subscriptions.Count;
        topic.TellFrom = now + Ticks(period < TellPeriod ? TellPeriod : period > LongestTellPeriod ? LongestTellPeriod : period);
        foreach (var subscription in topic.Subscriptions) Mark(subscription);
    }

    /// <summary>Tells a new subscription what is known. One that says to know more is believed until a silo has been asked.</summary>
    private void Told(LiveSubscription subscription, long now)
    {
        var topic = subscription.Topic;
        if (subscription.SentVersion > (topic.State?.Version ?? -1)) Doubt(topic, now);
        else if (topic.State is not null) Mark(subscription);
    }

    /// <summary>Clients that claim a version the target has not reached know it from a ledger that is gone: they would never be told again.</summary>
    private void Correct(LiveTopic topic, long version)
    {
        foreach (var subscription in topic.Subscriptions)
        {
            if (!subscription.Outbox.Disown(subscription, version)) continue;
            Mark(subscription);
        }
    }

    private void Mark(LiveSubscription subscription)
    {
        if (!subscription.Outbox.Mark(subscription)) _metrics.CountConflated(1);
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            if (_isOver) return;
            _timerAt = long.MaxValue;
            var now = _time.GetTimestamp();
            while (_heldBack.TryPeek(out var topic, out var from) && from <= now)
            {
                _heldBack.Dequeue();
                if (topic.IsHeldBack) Tell(topic, now);
            }

            if (_secondRoundAt <= now)
            {
                _secondRoundAt = long.MaxValue;
                RenewAllFrom(now);
            }

            Call(now);
            if (_heldBack.TryPeek(out _, out var next)) Arm(next);
            Arm(_secondRoundAt);
        }
    }

    private void Plan(LiveTopic topic, long due)
    {
        _schedule.Set(topic, due);
        Arm(due);
    }

    /// <summary>Starts the calls that are due, as many as may be under way: an outage must not make a crowd of them.</summary>
    private void Call(long now)
    {
        while (_calls < CallLimit && _schedule.TryTake(now, out var topic))
        {
            topic.IsCalling = true;
            topic.IsDoubtful = false;
            _calls++;
            _started++;
            _ = topic.Subscriptions.Count > 0 ? Task.Run(() => WatchAsync(topic)) : Task.Run(() => UnwatchAsync(topic));
        }

        // With all calls under way, the next one that ends looks again.
        if (_calls < CallLimit) Arm(_schedule.Next);
    }

    private async Task WatchAsync(LiveTopic topic)
    {
        var state = await _silos.WatchAsync(topic.TargetId, this);
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            _calls--;
            topic.IsCalling = false;
            if (state is { } told)
            {
                topic.Failures = 0;
                Note(topic, told.Count, told.Version, now);
                if (!topic.IsDoubtful) Correct(topic, told.Version);
            }
            else
            {
                topic.Failures++;
                if (topic.State is null) TellUnavailable(topic);
            }

            if (topic.Subscriptions.Count > 0) Plan(topic, now + Ticks(Rest(topic)));
            else Leave(topic);
            Call(now);
        }
    }

    private async Task UnwatchAsync(LiveTopic topic)
    {
        await _silos.UnwatchAsync(topic.TargetId, this);
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            _calls--;
            topic.IsCalling = false;
            if (topic.Subscriptions.Count > 0) Plan(topic, now);
            else Forget(topic);
            Call(now);
        }
    }

    private static void TellUnavailable(LiveTopic topic)
    {
        foreach (var subscription in topic.Subscriptions)
        {
            if (subscription.IsToldUnavailable) continue;
            subscription.IsToldUnavailable = true;
            subscription.Outbox.TellOnce(LiveError.Unavailable);
        }
    }

    private static TimeSpan Rest(LiveTopic topic)
    {
        // Spread, so that what began together does not go on together.
        var spread = 0.8 + (0.4 * Random.Shared.NextDouble());
        if (topic.Failures == 0) return (topic.IsDoubtful ? FirstRetry : RenewPeriod) * spread;
        var retry = FirstRetry * Math.Pow(2, Math.Min(topic.Failures - 1, 10));
        return (retry < LongestRetry ? retry : LongestRetry) * spread;
    }

    private void Arm(long at)
    {
        if (at >= _timerAt || _isOver) return;
        _timerAt = at;
        var wait = _time.GetElapsedTime(_time.GetTimestamp(), at);

        // Rounded up to what a timer can tell apart, or it would come too early and be set again.
        _timer.Change(wait > TimeSpan.Zero ? TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds)) : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private long Ticks(TimeSpan time) => (long)(time.TotalSeconds * _time.TimestampFrequency);
}
