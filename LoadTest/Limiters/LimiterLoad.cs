using HeartGrains.LoadTest.Http;

namespace HeartGrains.LoadTest.Limiters;

/// <summary>One request for a token. Moments are from the start of the load.</summary>
/// <param name="Due">When it was to be sent.</param>
/// <param name="Sent">When it was sent.</param>
/// <param name="Answered">When its answer was there.</param>
/// <param name="Status">The HTTP status; 0 without an answer.</param>
public readonly record struct QuotaCall(TimeSpan Due, TimeSpan Sent, TimeSpan Answered, int Status)
{
    /// <summary>It got its token.</summary>
    public bool IsAdmitted => Status == 200;

    /// <summary>The limiter has decided.</summary>
    public bool IsJudged => Status is 200 or 429;
}

/// <summary>
/// Asks for one user's tokens in an open loop: each request is sent when it is due, however long others take. One that finds all
/// connections busy is sent late; how late is kept.
/// </summary>
public sealed class LimiterLoad
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private readonly LoadPlan _plan;
    private readonly byte[] _request;
    private readonly QuotaCall[] _calls;
    private readonly CancellationToken _stop;
    private readonly long _start = TimeProvider.System.GetTimestamp();
    private int _next = -1;

    private LimiterLoad(Uri url, string user, LoadPlan plan, CancellationToken stop)
    {
        (_plan, _stop) = (plan, stop);
        _request = HttpPost.Bytes(url, "/api/v1/quota/acquire", $$"""{"user_id":"{{user}}","tokens":1}""");
        _calls = new QuotaCall[plan.Due.Count];
    }

    /// <summary>Runs a plan and returns its calls in the order they were due.</summary>
    /// <param name="url">A gateway.</param>
    /// <param name="user">Whose tokens.</param>
    /// <param name="plan">When requests are due.</param>
    /// <param name="connections">Connections, each with one request in flight.</param>
    /// <param name="progress">Told ten times a second how much is done, from 0 to 1.</param>
    /// <param name="cancellationToken">Ends the load without a result.</param>
    public static async Task<IReadOnlyList<QuotaCall>> RunAsync(
        Uri url, string user, LoadPlan plan, int connections, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        var load = new LimiterLoad(url, user, plan, cancellationToken);
        await HttpConnections.RunAsync([url], connections, RequestTimeout, load.LoopAsync, () => progress?.Report(Math.Min(1, load.Elapsed / plan.Length)));
        cancellationToken.ThrowIfCancellationRequested();
        return load._calls;
    }

    private TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(_start);

    private async Task LoopAsync(HttpConnection connection, int number)
    {
        for (var i = Interlocked.Increment(ref _next); i < _calls.Length && !_stop.IsCancellationRequested; i = Interlocked.Increment(ref _next))
        {
            var due = _plan.Due[i];
            await UntilAsync(due);
            if (_stop.IsCancellationRequested) return;
            var sent = Elapsed;
            var answer = await connection.ExchangeAsync(_request);
            _calls[i] = new QuotaCall(due, sent, Elapsed, answer.Exchange == HttpExchange.Answered ? answer.Status : 0);
        }
    }

    private async Task UntilAsync(TimeSpan due)
    {
        // Timers count whole milliseconds and cut off the rest: less than one would be no wait at all.
        for (var left = due - Elapsed; left > TimeSpan.Zero && !_stop.IsCancellationRequested; left = due - Elapsed)
            await Task.Delay(left > Tick ? left : Tick, TimeProvider.System, _stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
