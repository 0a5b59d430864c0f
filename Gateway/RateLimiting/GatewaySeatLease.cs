using HeartGrains.Gateway.Resilience;
using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// Keeps this process's seat. The lease counts from before the call that renewed it, and the id is new in every process, so that no slice
/// is given by two.
/// </summary>
internal sealed partial class GatewaySeatLease(
    IGrainFactory grains,
    QuotaSlices slices,
    Quota quota,
    GrainCalls calls,
    ClusterConnection connection,
    TimeProvider timeProvider,
    ILogger<GatewaySeatLease> logger) : BackgroundService
{
    private static readonly TimeSpan RenewPeriod = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RetryPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);

    private const int WarmUpCalls = 12;

    private readonly Guid _gatewayId = Guid.NewGuid();
    private readonly TaskCompletionSource _isReady = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _validUntil;
    private bool _isSeated;

    /// <summary>With a silo in this process, waits a little for the policies: the gateway is then ready as soon as it listens.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await base.StartAsync(cancellationToken);
        if (!connection.IsConnected) return;
        await _isReady.Task.WaitAsync(StartPatience, timeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var isRenewed = await TryRenewAsync(stoppingToken);
            Report(timeProvider.GetTimestamp() < _validUntil);
            await Task.Delay(isRenewed ? RenewPeriod : RetryPeriod, timeProvider, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> TryRenewAsync(CancellationToken stoppingToken)
    {
        try
        {
            var calledAt = timeProvider.GetTimestamp();
            var seat = await grains.GetGrain<IGatewaySeatsGrain>(0).RenewAsync(_gatewayId, stoppingToken).AsTask()
                .WaitAsync(CallTimeout, timeProvider, stoppingToken);
            Apply(seat, calledAt);
            if (_isReady.Task.IsCompleted) return true;
            await WarmUpAsync(stoppingToken);
            _isReady.TrySetResult();
            return true;
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            // The seat, if held, holds until its lease ends; after that every call asks the grain.
            Log.NotRenewed(logger, exception.Message);
            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>
    /// Asks grains of no user once, so that the first users do not wait for code to be compiled: a quota has little time to answer. Ends with the first that does not.
    /// </summary>
    private async Task WarmUpAsync(CancellationToken cancellationToken)
    {
        var policies = Array.FindAll(quota.Set.Policies, policy => policy.Policy.Dimension == QuotaDimension.User);
        for (var call = 0; call < WarmUpCalls && policies.Length > 0; call++)
        {
            // No user has a control character in its id.
            var ask = new QuotaAsk(QuotaDimension.User, "\u0001" + call) { RequestAborted = cancellationToken };
            foreach (var policy in policies) ask.Add(policy, default, 1);
            await ask.SendAsync(calls);
            if (ask.Status != CallStatus.Answered) return;
            ask.ReturnToGrain();
        }
    }

    private void Apply(in GatewaySeat seat, long calledAt)
    {
        var now = timeProvider.GetTimestamp();
        var frequency = timeProvider.TimestampFrequency;
        _validUntil = seat.Index >= 0 ? calledAt + seat.LeaseMillis * frequency / 1000 : calledAt;
        quota.Set = quota.Set.With(seat, now, frequency);
        slices.Extend(seat.Term, _validUntil);
    }

    private void Report(bool isSeated)
    {
        QuotaMetrics.Seated(isSeated);
        if (isSeated == _isSeated) return;
        _isSeated = isSeated;
        if (isSeated) Log.Seated(logger, _gatewayId);
        else Log.Unseated(logger, _gatewayId);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Gateway {GatewayId} holds a quota seat: it admits slices by itself.")]
        public static partial void Seated(ILogger logger, Guid gatewayId);

        [LoggerMessage(Level = LogLevel.Warning, Message = "Gateway {GatewayId} lost its quota seat: it asks the silos for every call.")]
        public static partial void Unseated(ILogger logger, Guid gatewayId);

        [LoggerMessage(Level = LogLevel.Debug, Message = "The quota seat was not renewed: {Reason}")]
        public static partial void NotRenewed(ILogger logger, string reason);
    }
}
