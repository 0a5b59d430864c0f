using System.Threading.Channels;
using Grpc.Core;
using HeartGrains.Gateway.Live;
using HeartGrains.V1;

namespace HeartGrains.Gateway.Grpc;

/// <summary>One call of <c>Watch</c>: sends what its outbox holds, one message at a time, so that a client that does not read costs what it watches and no more.</summary>
internal sealed class WatchCall : ILiveClient
{
    private readonly Channel<bool> _woken = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly List<LiveState> _states = [];
    private readonly IServerStreamWriter<WatchReply> _replies;
    private readonly HttpContext _context;
    private readonly CancellationToken _ended;
    private readonly LiveOptions _options;
    private readonly LiveMetrics _metrics;
    private readonly TimeProvider _time;
    private LiveClose? _end;
    private long _writingSince;
    private long _sentAt;

    public WatchCall(IServerStreamWriter<WatchReply> replies, HttpContext context, LiveOptions options, LiveMetrics metrics, TimeProvider time, CancellationToken ended)
    {
        (_replies, _context, _ended, _options, _metrics, _time) = (replies, context, ended, options, metrics, time);
        _sentAt = time.GetTimestamp();

        Outbox = new LiveOutbox { Wake = () => _woken.Writer.TryWrite(true) };
    }

    /// <summary>What it watches.</summary>
    public LiveOutbox Outbox { get; }

    /// <inheritdoc/>
    public async Task<LiveClose> RunAsync()
    {
        try
        {
            while (true)
            {
                await _woken.Reader.ReadAsync(_ended);
                while (true)
                {
                    _states.Clear();
                    var taken = Outbox.Take(_states);
                    if (taken.Close is { } close) return _end ?? close;
                    if (taken.IsEmpty) break;
                    await WriteAsync(taken.Error is not null);
                }
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException || _end is not null || _ended.IsCancellationRequested)
        {
            return _end ?? LiveClose.Gone;
        }
    }

    /// <inheritdoc/>
    public void Close(LiveClose close)
    {
        if (Interlocked.CompareExchange(ref _end, close, null) is null) Outbox.Close(close);
    }

    /// <inheritdoc/>
    public void Check(long now)
    {
        if (IsOver(ref _writingSince, _options.SlowTimeout, now)) Drop();
        else if (IsOver(ref _sentAt, ILiveClient.LongestSilence, now)) Outbox.TellAlive();
    }

    private void Drop()
    {
        Interlocked.CompareExchange(ref _end, LiveClose.TooSlow, null);
        _context.Abort();
    }

    private async Task WriteAsync(bool isUnavailable)
    {
        var reply = new WatchReply { Unavailable = isUnavailable };
        foreach (var state in _states) reply.Updates.Add(new WatchUpdate { TargetId = state.TargetId, Count = state.Count, Version = state.Version });
        Interlocked.Exchange(ref _writingSince, _time.GetTimestamp());
        await _replies.WriteAsync(reply, _ended);
        Interlocked.Exchange(ref _writingSince, 0);
        Interlocked.Exchange(ref _sentAt, _time.GetTimestamp());
        if (_states.Count > 0) _metrics.CountUpdates(_states.Count);
    }

    private bool IsOver(ref long since, TimeSpan patience, long now) => Interlocked.Read(ref since) is var at and not 0 && _time.GetElapsedTime(at, now) > patience;
}
