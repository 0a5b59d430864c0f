using HeartGrains.Gateway.Diagnostics;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace HeartGrains.Gateway.Resilience;

/// <summary>
/// The one way to a grain: the pipeline <c>hearts</c>, total timeout → bounded retry → breaker → call, or <c>quota</c>, the same with a
/// <see cref="QuotaPatience"/> of its own and without retry, or <c>probe</c>, a timeout alone. Before it, a look at whether any silo is connected, so that a gateway without silos refuses at once instead of after a timeout.
/// </summary>
internal sealed partial class GrainCalls : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly GrainAddresses _addresses;
    private readonly ClusterConnection _connection;
    private readonly ILogger _logger;
    private readonly ResiliencePipeline<AttemptResult> _hearts;
    private readonly ResiliencePipeline<AttemptResult> _quota;
    private readonly ResiliencePipeline<AttemptResult> _probe;

    public GrainCalls(
        GrainAddresses addresses,
        ClusterConnection connection,
        IOptions<ResilienceOptions> options,
        GatewayMetrics metrics,
        TimeProvider time,
        ILogger<GrainCalls> logger)
    {
        (_addresses, _connection, _logger) = (addresses, connection, logger);
        QuotaPatience = new QuotaPatience(options.Value);
        _hearts = Build("hearts", () => options.Value.CallTimeout, options.Value.RetryLimit, options.Value, metrics, time, logger);
        _quota = Build("quota", () => QuotaPatience.Timeout, retryLimit: 0, options.Value, metrics, time, logger);
        _probe = new ResiliencePipelineBuilder<AttemptResult> { Name = "probe", TimeProvider = time }.AddTimeout(options.Value.CallTimeout).Build();
    }

    /// <summary>The timeout of the pipeline <c>quota</c>.</summary>
    public QuotaPatience QuotaPatience { get; }

    /// <summary>Fires when no more calls are wanted: for what goes on by itself.</summary>
    public CancellationToken Stopping => _stopping.Token;

    public void Dispose() => _stopping.Cancel();

    public async ValueTask<CallStatus> CallAsync(GrainCall call)
    {
        if (!_connection.IsConnected || !IsAddressed(call)) return CallStatus.Unavailable;

        var context = ResilienceContextPool.Shared.Get(call.RequestAborted);
        var pipeline = call.Path switch { GrainPath.Hearts => _hearts, GrainPath.Quota => _quota, _ => _probe };
        var outcome = await pipeline.ExecuteOutcomeAsync(
            static (context, call) => call.AttemptAsync(context.CancellationToken), context, call);
        ResilienceContextPool.Shared.Return(context);
        return call.Settle(outcome);
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
            Log.NotAddressed(_logger, exception);
            return false;
        }
    }

    private static ResiliencePipeline<AttemptResult> Build(
        string name, Func<TimeSpan> timeout, int retryLimit, ResilienceOptions options, GatewayMetrics metrics, TimeProvider time, ILogger logger)
    {
        var builder = new ResiliencePipelineBuilder<AttemptResult> { Name = name, TimeProvider = time };
        builder.AddTimeout(new TimeoutStrategyOptions { TimeoutGenerator = _ => new(timeout()) });
        if (retryLimit > 0)
        {
            builder.AddRetry(new RetryStrategyOptions<AttemptResult>
            {
                MaxRetryAttempts = retryLimit,
                Delay = options.RetryDelay,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = static args => new(
                    args.Outcome.Exception is null
                    && args.Outcome.Result is AttemptResult.Rejected or AttemptResult.NotSent or AttemptResult.Conflict),
                OnRetry = _ =>
                {
                    metrics.CountRetry();
                    return default;
                },
            });
        }

        return builder.AddCircuitBreaker(new CircuitBreakerStrategyOptions<AttemptResult>
        {
            MinimumThroughput = options.BreakerMinimumThroughput,
            FailureRatio = options.BreakerFailureRatio,
            SamplingDuration = options.BreakerWindow,
            BreakDuration = options.BreakDuration,
            ShouldHandle = static args => new(
                args.Outcome.Exception is not null || args.Outcome.Result is AttemptResult.Rejected or AttemptResult.Lost),
            OnOpened = args =>
            {
                metrics.ShowBreaker(name, open: true);
                Log.Opened(logger, name, args.BreakDuration);
                return default;
            },
            OnClosed = _ =>
            {
                metrics.ShowBreaker(name, open: false);
                Log.Closed(logger, name);
                return default;
            },
        }).Build();
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Too many calls of the path {Path} failed: all are refused for {BreakDuration}.")]
        public static partial void Opened(ILogger logger, string path, TimeSpan breakDuration);

        [LoggerMessage(2, LogLevel.Information, "Calls of the path {Path} succeed again.")]
        public static partial void Closed(ILogger logger, string path);

        [LoggerMessage(3, LogLevel.Warning, "No silo hosts the grain of this call yet.")]
        public static partial void NotAddressed(ILogger logger, Exception exception);
    }
}
