using System.Buffers;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Connections;

namespace HeartGrains.Gateway.Live;

/// <summary>
/// One client: reads what it wants to watch, and sends what its outbox holds. While nothing comes it reads into no buffer, and while nothing is to be sent nobody
/// runs, so that a connection at rest is its socket and little more.
/// </summary>
internal sealed class LiveConnection : ILiveClient, IThreadPoolWorkItem
{
    private const int FirstBufferBytes = 1_024;
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(2);

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _spareBuffer;

    private readonly WebSocket _socket;
    private readonly LiveAddress _address;
    private readonly LiveTargets _targets;
    private readonly LiveOptions _options;
    private readonly LiveMetrics _metrics;
    private readonly TimeProvider _time;
    private LiveMessageRate _rate;
    private LiveClose? _end;
    private long _idleSince;
    private long _readingSince;
    private long _writingSince;
    private long _sentAt;
    private long _closingSince;

    public LiveConnection(WebSocket socket, LiveAddress address, LiveHub hub, LiveOptions options, LiveMetrics metrics, TimeProvider time)
    {
        (_socket, _address, _options, _metrics, _time) = (socket, address, options, metrics, time);
        _rate = new LiveMessageRate(options.MessagesPerSecond, options.MessageBurst, time.GetTimestamp());
        _idleSince = _sentAt = time.GetTimestamp();
        Outbox = new LiveOutbox { Wake = () => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false) };
        _targets = new LiveTargets(Outbox, address, hub, options);
    }

    /// <summary>What it watches.</summary>
    public LiveOutbox Outbox { get; }

    /// <summary>Serves the client until it or we close; returns why.</summary>
    public async Task<LiveClose> RunAsync()
    {
        try
        {
            while (await ReceiveAsync())
            {
            }

            return _end!;
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            return _end ?? EndOf(exception);
        }
        finally
        {
            _targets.Clear();
            _socket.Abort();
        }
    }

    /// <summary>Closes with a code and a reason; the first counts.</summary>
    public void Close(LiveClose close)
    {
        if (Interlocked.CompareExchange(ref _end, close, null) is not null) return;
        Interlocked.Exchange(ref _closingSince, _time.GetTimestamp());
        Outbox.Close(close);
    }

    /// <summary>Looks whether it has waited too long for its client: once a second or so.</summary>
    public void Check(long now)
    {
        if (IsOver(ref _closingSince, ClosePatience, now)) Drop(LiveClose.GoingAway);
        else if (IsOver(ref _writingSince, _options.SlowTimeout, now) || IsOver(ref _readingSince, _options.SlowTimeout, now)) Drop(LiveClose.TooSlow);
        else if (IsOver(ref _idleSince, _options.IdleTimeout, now)) Close(LiveClose.Idle);
        else if (IsOver(ref _sentAt, ILiveClient.LongestSilence, now)) Outbox.TellAlive();
    }

    /// <summary>Ends it at once.</summary>
    public void Drop(LiveClose close)
    {
        Interlocked.CompareExchange(ref _end, close, null);
        _socket.Abort();
    }

    /// <summary>Sends all there is; the outbox sees to it that this runs once at a time.</summary>
    void IThreadPoolWorkItem.Execute() => _ = SendAsync();

    private async Task SendAsync()
    {
        var buffer = _spareBuffer ?? new ArrayBufferWriter<byte>(256);
        _spareBuffer = null;
        try
        {
            while (true)
            {
                var send = Outbox.Take(buffer);
                if (send.Close is { IsSent: true } close)
                {
                    await _socket.CloseOutputAsync((WebSocketCloseStatus)close.Code, close.Reason, CancellationToken.None);
                    return;
                }

                if (send.Message.IsEmpty) break;
                Interlocked.Exchange(ref _writingSince, _time.GetTimestamp());
                await _socket.SendAsync(send.Message, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
                Interlocked.Exchange(ref _writingSince, 0);
                Interlocked.Exchange(ref _sentAt, _time.GetTimestamp());
                if (send.Updates > 0) _metrics.CountUpdates(send.Updates);
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // Its reader finds out by that.
            Drop(LiveClose.Gone);
        }

        if (buffer.Capacity <= 4_096) _spareBuffer = buffer;
    }

    /// <summary>Reads and follows one message; false when the connection is at its end.</summary>
    private async Task<bool> ReceiveAsync()
    {
        // Into nothing: it ends when something has come.
        var start = await _socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
        if (start.MessageType == WebSocketMessageType.Close) return await EndAsync();
        if (start.MessageType != WebSocketMessageType.Text) Close(LiveClose.TextOnly);

        Interlocked.Exchange(ref _readingSince, _time.GetTimestamp());
        var buffer = ArrayPool<byte>.Shared.Rent(FirstBufferBytes);
        try
        {
            var length = 0;
            for (var isWhole = start.EndOfMessage; !isWhole;)
            {
                if (length == buffer.Length) Grow(ref buffer);
                // One byte more than a message may have, and not all that the buffer would take.
                var room = Math.Min(buffer.Length, _options.MaxMessageBytes + 1) - length;
                var piece = await _socket.ReceiveAsync(buffer.AsMemory(length, room), CancellationToken.None);
                if (piece.MessageType == WebSocketMessageType.Close) return await EndAsync();
                length += piece.Count;
                isWhole = piece.EndOfMessage;
                if (length > _options.MaxMessageBytes) Close(LiveClose.MessageTooBig);

                // What comes after a close is read, so that the client gets to see it, and dropped.
                if (Volatile.Read(ref _end) is not null) length = 0;
            }

            Interlocked.Exchange(ref _readingSince, 0);
            if (Volatile.Read(ref _end) is null) Follow(buffer.AsSpan(0, length));
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Grow(ref byte[] buffer)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }

    private void Follow(ReadOnlySpan<byte> utf8)
    {
        var (message, wrong) = LiveMessage.Parse(utf8);
        var cost = LiveMessageRate.CostOf(message is null ? 0 : message.Subscribe.Count + message.Unsubscribe.Count);
        if (!_rate.TryTake(cost, _time) || !_address.TryTake(cost))
        {
            Close(LiveClose.TooManyMessages);
            return;
        }

        if (message is null)
        {
            Outbox.Tell(LiveError.InvalidMessage(wrong));
            return;
        }

        foreach (var target in message.Unsubscribe)
            if (Outbox.Find(target) is { } subscription) _targets.Unsubscribe(subscription);
        Subscribe(message);
        Interlocked.Exchange(ref _idleSince, Outbox.Count > 0 ? 0 : _idleSince == 0 ? _time.GetTimestamp() : _idleSince);
    }

    private void Subscribe(LiveMessage message)
    {
        foreach (var target in message.Subscribe)
        {
            var limit = _targets.TrySubscribe(target, message.Since.TryGetValue(target, out var since) ? since : -1);
            if (limit is null) continue;
            Outbox.Tell(LiveError.TooManyTargets(limit switch
            {
                LiveLimit.Connection => $"A connection watches at most {_options.MaxTargets} targets; the others of this message are not watched.",
                LiveLimit.Address => $"An address watches at most {_options.MaxTargetsPerAddress} targets; the others of this message are not watched.",
                _ => "This gateway watches as many targets as it takes; the others of this message are not watched. Subscribe again later.",
            }));
            return;
        }
    }

    /// <summary>The client's side is closed: ours is too, unless it was first.</summary>
    private async Task<bool> EndAsync()
    {
        if (Interlocked.CompareExchange(ref _end, LiveClose.Bye, null) is null)
            await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, LiveClose.Bye.Reason, CancellationToken.None);
        return false;
    }

    private static LiveClose EndOf(Exception exception) => exception switch
    {
        WebSocketException { WebSocketErrorCode: WebSocketError.ConnectionClosedPrematurely } => LiveClose.Gone,
        WebSocketException => LiveClose.ProtocolError,

        // Aborted on this side, and not by us: by the WebSocket itself, which has waited for a pong.
        ConnectionAbortedException => LiveClose.NoPong,
        _ => LiveClose.Gone,
    };

    private bool IsOver(ref long since, TimeSpan patience, long now) => Interlocked.Read(ref since) is var at and not 0 && _time.GetElapsedTime(at, now) > patience;
}
