using System.Net;

namespace HeartGrains.LoadTest.Http;

/// <summary>Connections spread over several servers, each driven by a loop of its own, with one clock for all their timeouts.</summary>
internal static class HttpConnections
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    /// <summary>Runs <paramref name="loop"/> with each connection and its number; returns when all loops have ended.</summary>
    public static async Task RunAsync(
        IReadOnlyList<Uri> urls, int count, TimeSpan timeout, Func<HttpConnection, int, Task> loop, Action? onTick = null, IPAddress? from = null)
    {
        var connections = Enumerable.Range(0, count).Select(number => new HttpConnection(urls[number % urls.Count], timeout, from)).ToArray();
        var loops = Task.WhenAll(connections.Select((connection, number) => Task.Run(() => loop(connection, number))));
        while (!loops.IsCompleted)
        {
            await Task.WhenAny(loops, Task.Delay(Tick, TimeProvider.System));
            foreach (var connection in connections) connection.ExpireIfOverdue();
            onTick?.Invoke();
        }
        foreach (var connection in connections) connection.Dispose();
        await loops;
    }
}
