using System.Buffers;
using HeartGrains.Gateway.Hearts;

namespace HeartGrains.Gateway.Live;

/// <summary>What one client is to be sent next.</summary>
/// <param name="Message">A whole message; empty when there is none.</param>
/// <param name="Updates">How many updates are in it.</param>
/// <param name="Close">The connection is to be closed, and nothing sent any more.</param>
internal readonly record struct LiveSend(ReadOnlyMemory<byte> Message, int Updates, LiveClose? Close);

/// <summary>What else one client is to be told with the states it is sent next.</summary>
/// <param name="IsEmpty">Nothing at all: the next mark wakes again.</param>
/// <param name="Error">What it was refused, or null.</param>
/// <param name="Close">The connection is to be closed, and nothing sent any more.</param>
internal readonly record struct LiveTaken(bool IsEmpty, LiveError? Error, LiveClose? Close);

/// <summary>
/// What one client watches and has yet to be told: of each target the latest state and no history, so that a client that does not read costs what it watches and no
/// more. Of each target versions only grow. Its connection sends, one message at a time; others mark.
/// </summary>
internal sealed class LiveOutbox
{
    private const int ErrorLimit = 16;

    // Targets watched no more whose last version is remembered; a client that leaves more starts anew.
    private const int LeftLimit = 400;

    // Updates of a message; a feed of targets is told in one, and none is longer than the longest that a client may send.
    private const int MessageByteLimit = 64 * 1024;

    private static readonly byte[] Beat = [.. LiveState.Prefix, .. LiveState.Suffix];

    private readonly Lock _gate = new();
    private readonly Dictionary<string, LiveSubscription> _watched = [];
    private readonly Queue<LiveSubscription> _pending = new(1);
    private Queue<LiveError>? _errors;
    private Dictionary<string, long>? _left;
    private LiveClose? _close;
    private bool _isSending;
    private bool _isBeatDue;

    /// <summary>Called when there is something to send and nobody sends; must not block.</summary>
    public Action? Wake { get; set; }

    /// <summary>How many targets are watched.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _watched.Count;
        }
    }

    /// <summary>All that is watched.</summary>
    public LiveSubscription[] Subscriptions()
    {
        lock (_gate) return [.. _watched.Values];
    }

    /// <summary>The watch of a target.</summary>
    public LiveSubscription? Find(string targetId)
    {
        lock (_gate) return _watched.GetValueOrDefault(targetId);
    }

    /// <summary>Adds a watch.</summary>
    public void Add(LiveSubscription subscription)
    {
        lock (_gate)
        {
            _watched.Add(subscription.Topic.TargetId, subscription);
            if (_left?.Remove(subscription.Topic.TargetId, out var version) is true) subscription.Floor = version;
        }
    }

    /// <summary>Ends a watch.</summary>
    public void Remove(LiveSubscription subscription)
    {
        lock (_gate)
        {
            _watched.Remove(subscription.Topic.TargetId);
            subscription.IsOver = true;
            var told = Math.Max(subscription.Floor, subscription.IsClaim ? 0 : subscription.SentVersion);
            if (told == 0) return;
            _left ??= [];
            if (_left.Count >= LeftLimit) _left.Clear();
            _left[subscription.Topic.TargetId] = told;
        }
    }

    /// <summary>The client says that it knows a version, or, with −1, that it knows none.</summary>
    public void Know(LiveSubscription subscription, long version)
    {
        lock (_gate)
        {
            if (!subscription.IsClaim) subscription.Floor = Math.Max(subscription.Floor, subscription.SentVersion);
            (subscription.SentVersion, subscription.IsClaim) = (version, true);
        }
    }

    /// <summary>Forgets that the client claims to know a version beyond <paramref name="version"/>; false when it does not.</summary>
    public bool Disown(LiveSubscription subscription, long version)
    {
        lock (_gate)
        {
            if (!subscription.IsClaim || subscription.SentVersion <= version) return false;
            subscription.SentVersion = -1;
            return true;
        }
    }

    /// <summary>A target has a state to tell; false when an earlier one, not sent yet, is overtaken by it.</summary>
    public bool Mark(LiveSubscription subscription)
    {
        lock (_gate)
        {
            if (subscription.IsPending) return false;
            subscription.IsPending = true;
            _pending.Enqueue(subscription);
            if (_isSending) return true;
            _isSending = true;
        }

        Wake?.Invoke();
        return true;
    }

    /// <summary>Tells the client what it was refused. A client that does not read is told of few.</summary>
    public void Tell(LiveError error)
    {
        lock (_gate)
        {
            _errors ??= new Queue<LiveError>(1);
            if (_errors.Count >= ErrorLimit) return;
            _errors.Enqueue(error);
            if (_isSending) return;
            _isSending = true;
        }

        Wake?.Invoke();
    }

    /// <summary>The same, unless it waits to be told already.</summary>
    public void TellOnce(LiveError error)
    {
        lock (_gate)
        {
            if (_errors?.Contains(error) is true) return;
        }

        Tell(error);
    }

    /// <summary>Nothing has been sent for a while: tells an empty list, by which the client knows that somebody is there.</summary>
    public void TellAlive()
    {
        lock (_gate)
        {
            if (_isSending || _watched.Count == 0) return;
            _isSending = _isBeatDue = true;
        }

        Wake?.Invoke();
    }

    /// <summary>Closes once what is being sent has been sent; the first reason counts.</summary>
    public void Close(LiveClose close)
    {
        lock (_gate)
        {
            if (_close is not null) return;
            _close = close;
            if (_isSending) return;
            _isSending = true;
        }

        Wake?.Invoke();
    }

    /// <summary>What is to be sent next; nothing means that the next mark wakes again. <paramref name="buffer"/> holds a message that is not shared.</summary>
    public LiveSend Take(ArrayBufferWriter<byte> buffer)
    {
        lock (_gate)
        {
            if (_close is not null) return new LiveSend(default, 0, _close);
            if (_errors?.TryDequeue(out var error) is true) return new LiveSend(Written(buffer, error), 0, null);

            buffer.ResetWrittenCount();
            LiveState? single = null;
            var updates = 0;
            while ((updates == 0 || buffer.WrittenCount < MessageByteLimit) && Next() is { } state)
            {
                if (updates++ == 0)
                {
                    single = state;
                    continue;
                }

                if (updates == 2)
                {
                    buffer.Write(LiveState.Prefix);
                    buffer.Write(single!.Update);
                }

                buffer.Write(","u8);
                buffer.Write(state.Update);
            }

            if (updates == 0 && _isBeatDue)
            {
                _isBeatDue = false;
                return new LiveSend(Beat, 0, null);
            }

            _isBeatDue = false;
            if (updates == 0) _isSending = false;
            if (updates <= 1) return new LiveSend(single?.Message ?? default, updates, null);
            buffer.Write(LiveState.Suffix);
            return new LiveSend(buffer.WrittenMemory, updates, null);
        }
    }

    /// <summary>The same for who does not send JSON: the states go to <paramref name="states"/>, all there are.</summary>
    public LiveTaken Take(ICollection<LiveState> states)
    {
        lock (_gate)
        {
            if (_close is not null) return new LiveTaken(false, null, _close);
            LiveError? error = null;
            _errors?.TryDequeue(out error);
            while (Next() is { } state) states.Add(state);
            var isEmpty = states.Count == 0 && error is null && !_isBeatDue;
            _isBeatDue = false;
            if (isEmpty) _isSending = false;
            return new LiveTaken(isEmpty, error, null);
        }
    }

    /// <summary>The next state to be sent, which from now on is taken to have been.</summary>
    private LiveState? Next()
    {
        while (_pending.TryDequeue(out var subscription))
        {
            subscription.IsPending = false;
            var state = subscription.Topic.State;
            if (subscription.IsOver || state is null || state.Version <= subscription.SentVersion || state.Version < subscription.Floor) continue;
            (subscription.SentVersion, subscription.IsClaim) = (state.Version, false);
            return state;
        }

        return null;
    }

    private static ReadOnlyMemory<byte> Written(ArrayBufferWriter<byte> buffer, LiveError error)
    {
        buffer.ResetWrittenCount();
        buffer.Write(HeartJson.Start().Raw("{\"error\":{\"code\":"u8).Text(error.Code).Raw(",\"detail\":"u8).Text(error.Detail).Raw("}}"u8).ToArray());
        return buffer.WrittenMemory;
    }
}
