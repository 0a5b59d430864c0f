using System.Buffers.Text;
using HeartGrains.LoadTest.Http;
using HeartGrains.LoadTest.Overload;

namespace HeartGrains.LoadTest.Live;

/// <summary>Gives hearts of users who give one each, over a few connections.</summary>
internal sealed class LiveHearts(Uri gateway, int connections, string prefix)
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private long _users;

    /// <summary>
    /// Gives hearts as fast as the answers come, or at most <paramref name="perSecond"/> of them when that is not 0. <paramref name="onGiven"/> is told target, version and when the answer came.
    /// </summary>
    public async Task<(double PerSecond, LatencyRecord Latencies, long Failed)> RunAsync(
        Func<long, string> target, double perSecond, TimeSpan duration, Action<string, long, long>? onGiven, CancellationToken cancellationToken)
    {
        var latencies = new LatencyRecord();
        var (given, failed, started) = (0L, 0L, TimeProvider.System.GetTimestamp());
        await HttpConnections.RunAsync([gateway], connections, Timeout, async (connection, number) =>
        {
            for (var turn = 0L; TimeProvider.System.GetElapsedTime(started) is var elapsed && elapsed < duration && !cancellationToken.IsCancellationRequested; turn++)
            {
                if (perSecond > 0 && TimeSpan.FromSeconds(((turn * connections) + number) / perSecond) is var due && due > elapsed)
                    await Task.Delay(due - elapsed, TimeProvider.System, CancellationToken.None);
                var user = Interlocked.Increment(ref _users);
                var to = target(user);
                var request = HttpPost.Bytes(gateway, "/api/v1/hearts", $"{{\"target_id\":\"{to}\",\"user_id\":\"{prefix}{user}\"}}");
                var sent = TimeProvider.System.GetTimestamp();
                var answer = await connection.ExchangeAsync(request);
                var answered = TimeProvider.System.GetTimestamp();
                if (answer.Status is not (200 or 201))
                {
                    Interlocked.Increment(ref failed);
                    continue;
                }

                Interlocked.Increment(ref given);
                latencies.Add(sent, answered);
                onGiven?.Invoke(to, VersionIn(answer.Body.Span), answered);
            }
        });
        return (given / TimeProvider.System.GetElapsedTime(started).TotalSeconds, latencies, failed);
    }

    /// <summary>The first <c>"version":</c> of a JSON text.</summary>
    public static long VersionIn(ReadOnlySpan<byte> json)
    {
        var at = json.IndexOf("\"version\":"u8);
        return at >= 0 && Utf8Parser.TryParse(json[(at + "\"version\":"u8.Length)..], out long version, out _) ? version : -1;
    }
}
