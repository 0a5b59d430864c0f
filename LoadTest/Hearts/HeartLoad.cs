using HeartGrains.LoadTest.Http;
using HeartGrains.LoadTest.Report;

namespace HeartGrains.LoadTest.Hearts;

/// <summary>
/// Gives hearts in a closed loop: each connection sends one, waits for its answer, and sends the next. It never retries: what
/// an answer says about its heart is kept as it is.
/// </summary>
public sealed class HeartLoad
{
    private static readonly TimeSpan ProgressPeriod = TimeSpan.FromMilliseconds(500);

    private readonly HeartLoadOptions _options;
    private readonly HeartHistory? _history;
    private readonly HeartNames _names;
    private readonly HeartMeasures _measures;
    private readonly CancellationToken _stop;
    private readonly long _start = TimeProvider.System.GetTimestamp();
    private volatile bool _historyWasFull;
    private TimeSpan _nextProgress = ProgressPeriod;

    private HeartLoad(HeartLoadOptions options, CancellationToken stop)
    {
        _options = options;
        _stop = stop;
        _names = options.KeepHistory ? HeartNames.Fresh() : HeartNames.Shared;
        _history = options.KeepHistory ? new(_names, options.Targets, options.HistoryLimit) : null;
        _measures = new(options, _start);
    }

    /// <summary>Runs a load; the run goes on through any fault of the servers.</summary>
    /// <param name="options">What to load.</param>
    /// <param name="progress">Told twice a second how it stands.</param>
    /// <param name="cancellationToken">Ends the load early: requests in flight are still awaited and the report is made.</param>
    public static async Task<HeartLoadReport> RunAsync(
        HeartLoadOptions options, IProgress<HeartLoadProgress>? progress = null, CancellationToken cancellationToken = default) =>
        await new HeartLoad(options, cancellationToken).RunAsync(progress);

    private TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(_start);

    private async Task<HeartLoadReport> RunAsync(IProgress<HeartLoadProgress>? progress)
    {
        var processesBefore = ProcessCpu.Read(_options.ProcessIds);
        var ownBefore = Environment.CpuUsage.TotalTime;
        await HttpConnections.RunAsync(_options.Urls, _options.Connections, _options.RequestTimeout, LoopAsync, () => Tell(progress), _options.From);

        var ended = TimeProvider.System.GetTimestamp();
        var ownCpu = Environment.CpuUsage.TotalTime - ownBefore;
        var processesAfter = ProcessCpu.Read(_options.ProcessIds);
        _measures.Timeline.Ended(ended);
        return new HeartLoadReport
        {
            Options = _options,
            Elapsed = TimeProvider.System.GetElapsedTime(_start, ended),
            Answers = _measures.Answers(),
            NotConnected = _measures.Count(HttpExchange.NotConnected),
            Broken = _measures.Count(HttpExchange.Broken),
            TimedOut = _measures.Count(HttpExchange.TimedOut),
            Latencies = _measures.Latencies(),
            Timeline = _measures.Timeline,
            Outages = _measures.Outages,
            Processes = [.. processesBefore.Zip(processesAfter, CpuBetween)],
            OwnCpu = ownCpu,
            History = _history,
            HistoryWasFull = _historyWasFull,
        };
    }

    private async Task LoopAsync(HttpConnection connection, int number)
    {
        var request = new HeartRequest(connection.Url, _names);
        var picker = new HeartPicker(unchecked(_options.Seed + (number * 7919)), _options.Targets, _options.Users, _options.Skew);
        HeartHistory.Page? page = null;
        for (var exchange = 0L; !_stop.IsCancellationRequested && Elapsed < _options.Duration; exchange++)
        {
            if (await DueAsync(number, exchange) is not { } due) return;
            if (_history is not null && page is not { IsFull: false } && (page = _history.TakePage()) is null)
            {
                _historyWasFull = true;
                return;
            }

            var (target, user) = picker.Next();
            var started = Math.Min(due, TimeProvider.System.GetTimestamp());
            var answer = await connection.ExchangeAsync(request.For(target, user));
            var ended = TimeProvider.System.GetTimestamp();
            var fate = HeartAttempt.FateOf(answer);
            _measures.Add(target, fate, answer, started, ended);

            var sent = answer.Exchange != HttpExchange.NotConnected;
            if (sent) page?.Add(new(target, user, fate));
            if (!sent || answer.Status == 503)
                await Task.Delay(_options.Backoff, TimeProvider.System, _stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>
    /// Waits until a connection's next request is due. Returns when that was if it is late, a time out of sight if it is not, for how long a timer
    /// oversleeps says nothing about the server, and null when the load ends before.
    /// </summary>
    private async ValueTask<long?> DueAsync(int number, long exchange)
    {
        if (_options.RequestsPerSecond == 0) return long.MaxValue;
        var due = TimeSpan.FromSeconds((number + exchange * _options.Connections) / (double)_options.RequestsPerSecond);
        if (due >= _options.Duration) return null;
        var wait = due - Elapsed;
        if (wait <= TimeSpan.Zero) return _start + (long)(due.TotalSeconds * TimeProvider.System.TimestampFrequency);
        await Task.Delay(wait, TimeProvider.System, _stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _stop.IsCancellationRequested ? null : long.MaxValue;
    }

    private void Tell(IProgress<HeartLoadProgress>? progress)
    {
        if (progress is null || Elapsed < _nextProgress) return;
        progress.Report(_measures.Progress(Elapsed));
        _nextProgress = Elapsed + ProgressPeriod;
    }

    internal static CpuUse CpuBetween(ProcessCpu before, ProcessCpu after) =>
        new(before.ProcessId, before.Name, before.Name is null || after.Name is null ? null : after.Cpu - before.Cpu);
}
