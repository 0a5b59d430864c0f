using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace HeartGrains.Tests.Live;

/// <summary>One update as a client sees it.</summary>
public sealed record SeenUpdate(string TargetId, long Count, long Version);

/// <summary>A client that reads all it is sent.</summary>
internal sealed class LiveClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly ClientWebSocket _socket = new();
    private readonly ConcurrentQueue<SeenUpdate> _updates = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private Task _reading = Task.CompletedTask;

    private LiveClient()
    {
    }

    /// <summary>All updates so far, in order.</summary>
    public IReadOnlyList<SeenUpdate> Updates => [.. _updates];

    /// <summary>Codes of the errors so far.</summary>
    public IReadOnlyList<string> Errors => [.. _errors];

    /// <summary>Messages with updates so far.</summary>
    public int Messages { get; private set; }

    /// <summary>The close's code and reason; null while open, and when it was cut off.</summary>
    public (int Code, string Reason)? Closed { get; private set; }

    /// <summary>It is over, with a close or without.</summary>
    public bool IsOver => _reading.IsCompleted;

    public static async Task<LiveClient> ConnectAsync(Uri gateway, string? origin = null)
    {
        var client = new LiveClient();
        client._socket.Options.CollectHttpResponseDetails = true;
        if (origin is not null) client._socket.Options.SetRequestHeader("Origin", origin);
        using var patience = new CancellationTokenSource(Patience);
        await client._socket.ConnectAsync(new UriBuilder(gateway) { Scheme = "ws", Path = "/api/v1/live" }.Uri, patience.Token);
        client._reading = client.ReadAsync();
        return client;
    }

    /// <summary>Connects and watches.</summary>
    public static async Task<LiveClient> WatchAsync(Uri gateway, params string[] targets)
    {
        var client = await ConnectAsync(gateway);
        await client.SendAsync(new { subscribe = targets });
        return client;
    }

    public Task SendAsync(object message) => SendAsync(JsonSerializer.Serialize(message));

    public Task SendAsync(string message) => _socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    public Task SendBinaryAsync(byte[] message) => _socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);

    public Task CloseAsync() => _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);

    /// <summary>The last update of a target.</summary>
    public SeenUpdate? Last(string target) => _updates.LastOrDefault(update => update.TargetId == target);

    public Task UntilCountAsync(string target, long count, TimeSpan? patience = null) =>
        UntilAsync(() => Last(target)?.Count == count, $"{target} is not {count} but {Last(target)}; {string.Join(',', _errors)}, over: {IsOver}", patience);

    public async Task<(int Code, string Reason)> UntilClosedAsync()
    {
        await UntilAsync(() => IsOver, "it is not closed");
        return Closed ?? (1006, "");
    }

    public static async Task UntilAsync(Func<bool> condition, string what, TimeSpan? patience = null)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > (patience ?? Patience)) throw new TimeoutException(what);
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }

    /// <summary>Of no target was a later version followed by an earlier one.</summary>
    public void ShouldNeverHaveGoneBack()
    {
        foreach (var target in _updates.GroupBy(static update => update.TargetId))
            target.Zip(target.Skip(1)).ShouldAllBe(static pair => pair.First.Version < pair.Second.Version);
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        await _reading;
        _socket.Dispose();
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[256 * 1024];
        try
        {
            while (true)
            {
                var length = 0;
                ValueWebSocketReceiveResult piece;
                do
                {
                    piece = await _socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                    length += piece.Count;
                }
                while (!piece.EndOfMessage);

                if (piece.MessageType == WebSocketMessageType.Close)
                {
                    Closed = ((int)_socket.CloseStatus!.Value, _socket.CloseStatusDescription ?? "");
                    await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);
                    return;
                }

                Note(JsonSerializer.Deserialize<JsonElement>(buffer.AsSpan(0, length)));
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
        }
    }

    private void Note(JsonElement message)
    {
        if (message.TryGetProperty("error", out var error))
        {
            error.GetProperty("detail").GetString().ShouldNotBeNullOrEmpty();
            _errors.Enqueue(error.GetProperty("code").GetString()!);
            return;
        }

        Messages++;
        foreach (var update in message.GetProperty("updates").EnumerateArray())
            _updates.Enqueue(new(update.GetProperty("target_id").GetString()!, update.GetProperty("count").GetInt64(), update.GetProperty("version").GetInt64()));
    }
}
