using HeartGrains.Diagnostics;
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

    private readonly Lock _renewing = new();
    private Task<bool> _renewal = Task.FromResult(false);
    private volatile Leased? _leased;

    /// <summary>How many seats to leave room for. Throws while that is not known: an outage, and nothing that is the user's fault.</summary>
    public int Count =>
        Valid is { } leased ? leased.Count : throw new InvalidOperationException("How many gateways there are is not known: the seats could not be asked.");

    private Leased? Valid => _leased is { } leased && timeProvider.GetTimestamp() < leased.Until ? leased : null;

    /// <summary>Asks for the number when it is not known: a silo that has just joined is given grains before its first renewal.</summary>
    public ValueTask LearnAsync(CancellationToken cancellationToken) => Valid is not null ? default : new(RenewAsync(cancellationToken));

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
            var isRenewed = await RenewAsync(CancellationToken.None);
            await Task.Delay(isRenewed ? RenewPeriod : RetryPeriod, timeProvider, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Renews, or waits for the renewal that is under way. Not in the caller's turn: it may be a grain's, and outlive it.</summary>
    private Task<bool> RenewAsync(CancellationToken cancellationToken)
    {
        lock (_renewing)
        {
            if (_renewal.IsCompleted) _renewal = Traces.Detach(TryRenewAsync);
            return _renewal.WaitAsync(cancellationToken);
        }
    }

    private async Task<bool> TryRenewAsync()
    {
        try
        {
            var calledAt = timeProvider.GetTimestamp();
            var answer = await grains.GetGrain<IGatewaySeatsGrain>(0).CountAsync().AsTask().WaitAsync(CallTimeout, timeProvider);
            Accept(answer, calledAt);
            _isKnown.TrySetResult();
            return true;
        }
        catch (Exception exception)
        {
            Log.NotRenewed(logger, exception.Message);
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
