using System.Collections.Concurrent;
using System.Text;
using HeartGrains.LoadTest.Hearts;
using HeartGrains.LoadTest.Http;

namespace HeartGrains.LoadTest.Overload;

/// <summary>
/// Gives hearts on a schedule that does not wait for answers: users do not slow down because the service does. It never retries. A heart that finds every connection
/// busy is sent when one is free, and counted as late.
/// </summary>
internal sealed class OpenLoop : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Overrun = TimeSpan.FromSeconds(1);
    private const int OpenedAtOnce = 64;

    private readonly Client[] _clients;
    private readonly ConcurrentStack<Client> _free;
    private readonly HeartPicker _picker;
    private readonly TimeSpan _timeout;

    public OpenLoop(OverloadRunOptions options)
    {
        _timeout = options.RequestTimeout;
        _picker = new(options.Seed, options.Targets, options.Users, TargetSkew.Zipf);
        _clients = [.. Enumerable.Range(0, options.Connections).Select(number => Client.For(options.Urls[number % options.Urls.Count], _timeout))];
        _free = new(_clients);
    }

    /// <summary>Opens all connections, so that no heart waits for one to open. Returns whether all were answered.</summary>
    public async Task<bool> OpenAsync()
    {
        foreach (var some in _clients.Chunk(OpenedAtOnce))
        {
            var answers = await Task.WhenAll(some.Select(client => client.Connection.ExchangeAsync(client.Hello).AsTask()));
            if (answers.Any(answer => answer.Status != 200)) return false;
        }

        return true;
    }

    /// <summary>Offers hearts at a rate and returns when all are answered or given up.</summary>
    public async Task<PhaseMeasures> RunAsync(double perSecond, TimeSpan length, Action<TimeSpan, PhaseMeasures> onTick, CancellationToken stop)
    {
        var measures = new PhaseMeasures(length);
        var total = (long)(perSecond * length.TotalSeconds);
        var spacing = TimeProvider.System.TimestampFrequency / perSecond;
        var start = TimeProvider.System.GetTimestamp();
        measures.Start(start);
        var sent = 0L;
        for (var elapsed = TimeSpan.Zero; sent < total && elapsed < length + Overrun && !stop.IsCancellationRequested; elapsed = TimeProvider.System.GetElapsedTime(start))
        {
            var due = Math.Min(total, (long)(elapsed.TotalSeconds * perSecond) + 1);
            for (; sent < due && _free.TryPop(out var client); sent++)
            {
                var (target, user) = _picker.Next();
                _ = SendAsync(client, target, user, start + (long)(sent * spacing), measures);
            }

            Expire();
            onTick(elapsed, measures);
            await Task.Delay(Pause, TimeProvider.System);
        }

        measures.NotSent = total - sent;
        measures.Elapsed = TimeProvider.System.GetElapsedTime(start);
        await DrainAsync();
        return measures;
    }

    public void Dispose()
    {
        foreach (var client in _clients) client.Connection.Dispose();
    }

    private async Task SendAsync(Client client, int target, long user, long due, PhaseMeasures measures)
    {
        var sent = TimeProvider.System.GetTimestamp();
        var answer = await client.Connection.ExchangeAsync(client.Request.For(target, user));
        measures.Add(due, sent, TimeProvider.System.GetTimestamp(), answer);
        _free.Push(client);
    }

    private async Task DrainAsync()
    {
        var start = TimeProvider.System.GetTimestamp();
        while (_free.Count < _clients.Length && TimeProvider.System.GetElapsedTime(start) < _timeout + Overrun)
        {
            Expire();
            await Task.Delay(Pause, TimeProvider.System);
        }
    }

    private void Expire()
    {
        foreach (var client in _clients) client.Connection.ExpireIfOverdue();
    }

    private sealed record Client(HttpConnection Connection, HeartRequest Request, byte[] Hello)
    {
        public static Client For(Uri url, TimeSpan timeout) => new(
            new(url, timeout), new(url, HeartNames.Shared), Encoding.ASCII.GetBytes($"GET /health/live HTTP/1.1\r\nHost: {url.Authority}\r\n\r\n"));
    }
}
