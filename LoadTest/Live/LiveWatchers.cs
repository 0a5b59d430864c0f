using System.Net;
using System.Text.Json;

namespace HeartGrains.LoadTest.Live;

/// <summary>Many clients of one gateway that only read.</summary>
internal sealed class LiveWatchers : IDisposable
{
    private const int OpenedAtOnce = 50;

    // A gateway takes so many of one address unless told otherwise.
    private const int OfOneAddress = 100;

    private readonly List<LiveSocket> _sockets = [];
    private readonly List<Task> _reading = [];
    private long _messages;

    /// <summary>Messages read so far by all.</summary>
    public long Messages => Interlocked.Read(ref _messages);

    /// <summary>Those whose connection has not ended.</summary>
    public int Open => _reading.Count(static reading => !reading.IsCompleted);

    /// <summary>Connects; each of a hundred has an address of this machine to itself.</summary>
    public static async Task<LiveWatchers> OpenAsync(Uri gateway, int count, Func<int, string> target, Action<int> onOpened, CancellationToken cancellationToken)
    {
        var watchers = new LiveWatchers();
        foreach (var numbers in Enumerable.Range(0, count).Chunk(OpenedAtOnce))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var opened = await Task.WhenAll(numbers.Select(number => LiveSocket.ConnectAsync(gateway, AddressOf(number))));
            watchers._sockets.AddRange(opened);
            foreach (var socket in opened) watchers._reading.Add(socket.ReadAsync(_ => Interlocked.Increment(ref watchers._messages)));
            await Task.WhenAll(opened.Zip(numbers, (socket, number) => socket.SendAsync(Subscribe(target(number)))));
            onOpened(watchers._sockets.Count);
        }

        return watchers;
    }

    /// <summary>The message that watches a target.</summary>
    public static string Subscribe(params string[] targets) => $"{{\"subscribe\":{JsonSerializer.Serialize(targets)}}}";

    /// <summary>Sends to all.</summary>
    public Task SendAsync(string message) => Task.WhenAll(_sockets.Select(socket => socket.SendAsync(message)));

    public void Dispose()
    {
        foreach (var socket in _sockets) socket.Dispose();
    }

    private static IPAddress AddressOf(int number)
    {
        var index = 1 + (number / OfOneAddress);
        return new IPAddress([127, 0, (byte)(1 + (index / 250)), (byte)(1 + (index % 250))]);
    }
}
