using HeartGrains.Diagnostics;
using HeartGrains.Resilience;
using Microsoft.Extensions.Options;
using Polly;
using Polly.Timeout;

namespace HeartGrains.Gateway.Resilience;

/// <summary>
/// The one way to a grain: the pipeline <c>hearts</c>, total timeout → retry → breaker → call, or <c>quota</c>, the same with a
/// <see cref="QuotaPatience"/> of its own and without retry, or <c>probe</c> and <c>live</c>, a timeout alone. Before it, a look at whether any silo is connected, so that a gateway without silos refuses at once instead of after a timeout.
/// </summary>
internal sealed partial class GrainCalls : IDisposable
{
    // Short, so that a target whose silo has died is asked for again soon after another has taken it over.
    private static readonly TimeSpan LiveTimeout = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stopping = new();
    private readonly GrainAddresses _addresses;
    private readonly ClusterConnection _connection;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly Throttle _unaddressed;
    private readonly Throttle _defects;
    private readonly ResiliencePipeline<AttemptResult> _hearts;
    private readonly ResiliencePipeline<AttemptResult> _quota;
    private readonly ResiliencePipeline<AttemptResult> _probe;
    private readonly ResiliencePipeline<AttemptResult> _live;

    public GrainCalls(
        GrainAddresses addresses,
        ClusterConnection connection,
        IOptions<ResilienceOptions> options,
        Breakers breakers,
        SiloProbe siloProbe,
        RecoveryMetrics metrics,
        TimeProvider time,
        ILogger<GrainCalls> logger)
    {
        (_addresses, _connection, _logger, _time) = (addresses, connection, logger, time);
        _unaddressed = new Throttle(time.TimestampFrequency);
        _defects = new Throttle(time.TimestampFrequency);
        var settings = options.Value;
        var budget = new RetryBudget(settings.RetryBudget);
        metrics.Observe(budget);
        var schedule = new RecoverySchedule(settings.RetryDelay, settings.MaxRetryDelay);
        var recovery = new RecoveryStrategy(schedule, budget, siloProbe, settings.RetryLimit, settings.CallTimeout, metrics, time);
        QuotaPatience = new QuotaPatience(settings);
        Hearts = breakers.Of(Breakers.Hearts);
        _hearts = Pipeline("hearts", time, _ => new(settings.CallTimeout)).AddStrategy(_ => recovery, new NoOptions()).AddBreaker(Hearts, Judge).Build();
        _quota = Pipeline("quota", time, _ => new(QuotaPatience.Timeout)).AddBreaker(breakers.Of(Breakers.Quota), Judge).Build();
        _probe = Pipeline("probe", time, _ => new(settings.CallTimeout)).Build();
        _live = Pipeline("live", time, _ => new(LiveTimeout < settings.CallTimeout ? LiveTimeout : settings.CallTimeout)).Build();
    }

    /// <summary>The breaker of the pipeline <c>hearts</c>.</summary>
    public Breaker Hearts { get; }

    /// <summary>
    /// How old a count may be that is told without a call, while silos answer badly; null while they answer well. Most calls succeed while the breaker is only degraded: what is older than the window
    /// that made it so is worth a call.
    /// </summary>
    public TimeSpan? SparingAge => Hearts.IsDegraded ? Hearts.Options.Window : null;

    /// <summary>The timeout of the pipeline <c>quota</c>.</summary>
    public QuotaPatience QuotaPatience { get; }

    /// <summary>Fires when no more calls are wanted: for what goes on by itself.</summary>
    public CancellationToken Stopping => _stopping.Token;

    public void Dispose() => _stopping.Cancel();

    public async ValueTask<CallStatus> CallAsync(GrainCall call)
    {
        if (!_connection.IsConnected || !IsAddressed(call)) return CallStatus.Unavailable;

        var context = ResilienceContextPool.Shared.Get(call.RequestAborted);
        var pipeline = call.Path switch { GrainPath.Hearts => _hearts, GrainPath.Quota => _quota, GrainPath.Live => _live, _ => _probe };
        var outcome = await pipeline.ExecuteOutcomeAsync(
            static (context, call) => call.AttemptAsync(context.CancellationToken), context, call);
        ResilienceContextPool.Shared.Return(context);
        if (call.Defect is { } defect) Tell(defect);
        return call.Settle(outcome);
    }

    // Not its message, which may name a user.
    private void Tell(Exception defect)
    {
        if (_defects.TryPass(_time.GetTimestamp(), out var count)) Log.Defect(_logger, count, defect.GetType().FullName, defect.StackTrace);
    }

    private bool IsAddressed(GrainCall call)
    {
        try
        {
            call.Address(_addresses);
            return true;
        }
        catch (Exception exception)
        {
            // Orleans throws plain argument exceptions until the silos have told what grains they host.
            if (_unaddressed.TryPass(_time.GetTimestamp(), out var count)) Log.NotAddressed(_logger, count, exception.Message);
            return false;
        }
    }

    private static ResiliencePipelineBuilder<AttemptResult> Pipeline(string name, TimeProvider time, Func<TimeoutGeneratorArguments, ValueTask<TimeSpan>> timeout)
    {
        var builder = new ResiliencePipelineBuilder<AttemptResult> { Name = name, TimeProvider = time };
        builder.AddTimeout(new TimeoutStrategyOptions { TimeoutGenerator = timeout });
        return builder;
    }

    // A conflict is two activations' matter, and no failure of the way to them; the ledger has a breaker of its own.
    private static CallVerdict Judge(Outcome<AttemptResult> outcome) =>
        outcome.Exception is not null ? CallVerdict.Failed
        : outcome.Result switch
        {
            AttemptResult.Answered or AttemptResult.Conflict => CallVerdict.Good,
            AttemptResult.AnsweredForLedger => CallVerdict.Reached,
            AttemptResult.Aborted => CallVerdict.Ignored,
            _ => CallVerdict.Failed,
        };

    // What is added comes with its settings.
    private sealed class NoOptions : ResilienceStrategyOptions;

    private static partial class Log
    {
        [LoggerMessage(2, LogLevel.Error, "{Count} times since this was last told a grain's call failed by a defect, last {Type}:\n{Stack}")]
        public static partial void Defect(ILogger logger, int count, string? type, string? stack);

        [LoggerMessage(1, LogLevel.Warning, "{Count} times since this was last told no silo hosted the grain of a call yet: {Reason}")]
        public static partial void NotAddressed(ILogger logger, int count, string reason);
    }
}
