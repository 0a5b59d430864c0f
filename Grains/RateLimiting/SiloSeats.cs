using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HeartGrains.RateLimiting;

/// <summary>
/// What this silo knows of the number of seats. It is leased: before a seat more is given to a gateway, every silo has left room for it, or its lease
/// is over and it decides nothing.
/// </summary>
public sealed partial class SiloSeats(IGrainFactory grains, TimeProvider timeProvider, ILogger<SiloSeats> logger) : BackgroundService
{
    private static readonly TimeSpan RenewPeriod = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan RetryPeriod = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource _isKnown = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private volatile Leased? _leased;

    /// <summary>How many seats to leave room for. Throws while that is not known: an outage, and nothing that is the user's fault.</summary>
    public int Count =>
        _leased is { } leased && timeProvider.GetTimestamp() < leased.Until
            ? leased.Count
            : throw new InvalidOperationException("How many gateways there are is not known: the seats could not be asked.");

    /// <summary>Takes over an answer to a call made at <paramref name="calledAt"/>.</summary>
    internal void Accept(SeatCount answer, long calledAt) =>
        _leased = new Leased(answer.Seats, calledAt + (long)(answer.LeaseMillis / 1000.0 * timeProvider.TimestampFrequency));

    /// <summary>Waits a little for the first answer, so that a silo that has started can judge.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await base.StartAsync(cancellationToken);
        await _isKnown.Task.WaitAsync(StartPatience, timeProvider, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var isRenewed = await TryRenewAsync(stoppingToken);
            await Task.Delay(isRenewed ? RenewPeriod : RetryPeriod, timeProvider, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> TryRenewAsync(CancellationToken stoppingToken)
    {
        try
        {
            var calledAt = timeProvider.GetTimestamp();
            var answer = await grains.GetGrain<IGatewaySeatsGrain>(0).CountAsync(stoppingToken).AsTask().WaitAsync(CallTimeout, timeProvider, stoppingToken);
            Accept(answer, calledAt);
            _isKnown.TrySetResult();
            return true;
        }
        catch (Exception exception)
        {
            if (!stoppingToken.IsCancellationRequested) Log.NotRenewed(logger, exception.Message);
            return false;
        }
    }

    private sealed record Leased(int Count, long Until);

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Debug, Message = "The number of seats was not learnt: {Reason}")]
        public static partial void NotRenewed(ILogger logger, string reason);
    }
}
