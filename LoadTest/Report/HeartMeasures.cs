using HdrHistogram;
using HeartGrains.LoadTest.Hearts;
using HeartGrains.LoadTest.Http;

namespace HeartGrains.LoadTest.Report;

/// <summary>Everything that is counted while a load runs. Safe for many threads.</summary>
internal sealed class HeartMeasures(HeartLoadOptions options, long startTimestamp)
{
    private const long LatencyLimitMicros = 3_600_000_000;
    private readonly LongConcurrentHistogram _latencies = new(1, LatencyLimitMicros, 3);
    private readonly long[] _statuses = new long[1000];
    private readonly long[] _exchanges = new long[4];
    private (TimeSpan Elapsed, long Answered) _lastProgress;

    public SuccessTimeline Timeline { get; } = new(startTimestamp, options.Duration + options.RequestTimeout);

    public TargetOutages Outages { get; } = new(options.Targets);

    public long Count(HttpExchange exchange) => Interlocked.Read(ref _exchanges[(int)exchange]);

    public void Add(int target, HeartFate fate, in HttpAnswer answer, long started, long ended)
    {
        Interlocked.Increment(ref _exchanges[(int)answer.Exchange]);
        if (answer.Exchange == HttpExchange.Answered)
        {
            Interlocked.Increment(ref _statuses[answer.Status]);
            var micros = (long)TimeProvider.System.GetElapsedTime(started, ended).TotalMicroseconds;
            _latencies.RecordValue(Math.Clamp(micros, 1, LatencyLimitMicros));
        }

        if (fate is HeartFate.Created or HeartFate.Repeated)
        {
            Timeline.Succeeded(ended);
            Outages.Succeeded(target, ended);
        }
        else if (fate == HeartFate.Unknown || answer.Status == 503)
        {
            Outages.Failed(target, started);
        }
    }

    public IReadOnlyDictionary<int, long> Answers() =>
        _statuses.Index().Where(status => status.Item > 0).ToDictionary(status => status.Index, status => status.Item);

    public Latencies Latencies()
    {
        var all = _latencies.Copy();
        return new(At(50), At(90), At(99), At(99.9), At(100));

        TimeSpan At(double percentile) => all.TotalCount == 0 ? TimeSpan.Zero : TimeSpan.FromMicroseconds(all.GetValueAtPercentile(percentile));
    }

    public HeartLoadProgress Progress(TimeSpan elapsed)
    {
        var answered = Count(HttpExchange.Answered);
        var succeeded = _statuses.AsSpan(200, 100).ToArray().Sum();
        var rate = (answered - _lastProgress.Answered) / Math.Max(0.001, (elapsed - _lastProgress.Elapsed).TotalSeconds);
        _lastProgress = (elapsed, answered);
        var failed = answered - succeeded + Count(HttpExchange.NotConnected) + Count(HttpExchange.Broken) + Count(HttpExchange.TimedOut);
        return new(elapsed, answered, succeeded, failed, rate, Latencies().P99);
    }
}
