using System.Collections.Concurrent;
using System.Net.WebSockets;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Live;

/// <summary>The clients of this gateway: looked after together, without a timer for each, and sent away when it stops.</summary>
internal sealed class LiveConnections : IDisposable
{
    private static readonly TimeSpan LongestCheckPeriod = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<ILiveClient, bool> _connections = new();
    private readonly LiveHub _hub;
    private readonly LiveOptions _options;
    private readonly LiveMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly CancellationTokenRegistration _stopping;
    private volatile bool _isStopping;

    public LiveConnections(LiveHub hub, IOptions<LiveOptions> options, LiveMetrics metrics, TimeProvider time, IHostApplicationLifetime lifetime)
    {
        (_hub, _options, _metrics, _time) = (hub, options.Value, metrics, time);
        Seats = new LiveSeats(_options, time);

        // Half of the shortest patience, so that none is exceeded by much.
        var shortest = _options.IdleTimeout < _options.SlowTimeout ? _options.IdleTimeout : _options.SlowTimeout;
        var period = shortest / 2 < LongestCheckPeriod ? shortest / 2 : LongestCheckPeriod;
        _timer = time.CreateTimer(static all => ((LiveConnections)all!).Check(), this, period, period);
        _stopping = lifetime.ApplicationStopping.Register(GoAway);
    }

    /// <summary>Who may connect.</summary>
    public LiveSeats Seats { get; }

    /// <summary>How many there are.</summary>
    internal int Count => _connections.Count;

    /// <summary>No client is taken any more.</summary>
    public bool IsStopping => _isStopping;

    /// <summary>Serves a client until its connection ends.</summary>
    public Task ServeAsync(WebSocket socket, LiveAddress address) => ServeAsync(new LiveConnection(socket, address, _hub, _options, _metrics, _time));

    /// <summary>Serves a client until its connection ends; returns why it did.</summary>
    public async Task<LiveClose> ServeAsync(ILiveClient connection)
    {
        _connections.TryAdd(connection, true);
        _metrics.Opened();
        var end = LiveClose.InternalError;
        try
        {
            // It may have come while all others were sent away.
            if (_isStopping) connection.Close(LiveClose.GoingAway);
            return end = await connection.RunAsync();
        }
        finally
        {
            _connections.TryRemove(connection, out _);
            _metrics.Closed(end);
        }
    }

    /// <summary>Closes all there are.</summary>
    internal void CloseAll(LiveClose close)
    {
        foreach (var (connection, _) in _connections) connection.Close(close);
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _timer.Dispose();
    }

    private void GoAway()
    {
        _isStopping = true;
        CloseAll(LiveClose.GoingAway);
    }

    private void Check()
    {
        var now = _time.GetTimestamp();
        foreach (var (connection, _) in _connections) connection.Check(now);
    }
}
