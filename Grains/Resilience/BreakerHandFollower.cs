using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Resilience;

/// <summary>
/// Carries operators' orders out on the breakers of this process, and tells how they stand where this is a silo. An order that was carried out goes on to its end, also when nobody
/// can be asked any more.
/// </summary>
public sealed partial class BreakerHandFollower(
    Breakers breakers, IGrainFactory grains, TimeProvider time, ILogger<BreakerHandFollower> logger, ILocalSiloDetails? silo = null) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, long> _followed = [];

    /// <summary>Carries an order out here.</summary>
    public void Follow(BreakerOrder order)
    {
        lock (_followed)
        {
            if (breakers.All.FirstOrDefault(breaker => breaker.Name == order.Breaker) is not { } breaker) return;
            if (order.Revision > 0 && !IsNews(order)) return;
            if (order.Hand == BreakerHand.Auto && !breaker.IsForced) return;
            var state = order.Hand switch
            {
                BreakerHand.ForcedOpen => BreakerState.ForcedOpen,
                BreakerHand.ForcedClosed => BreakerState.ForcedClosed,
                _ => BreakerState.Closed,
            };
            breaker.Force(state, TimeSpan.FromMilliseconds(order.RemainingMillis), order.Reason);
            Log.Followed(logger, order.Breaker, order.Hand, TimeSpan.FromMilliseconds(order.RemainingMillis), order.Reason);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await FollowAsync(stoppingToken);
            await Task.Delay(Period, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task FollowAsync(CancellationToken stoppingToken)
    {
        try
        {
            var orders = await grains.GetGrain<IBreakerHandGrain>(0).GetAsync(Told(), stoppingToken).AsTask().WaitAsync(Patience, time, stoppingToken);
            foreach (var order in orders) Follow(order);
        }
        catch (Exception) when (!stoppingToken.IsCancellationRequested)
        {
            // No silo answers: asked again in a second.
        }
        catch (OperationCanceledException)
        {
        }
    }

    private SiloBreakers? Told() => silo is null ? null : new SiloBreakers(silo.Name, [.. breakers.All.Select(breaker => breaker.ToReport())]);

    private bool IsNews(BreakerOrder order)
    {
        var isNews = _followed.GetValueOrDefault(order.Breaker) < order.Revision;
        if (isNews) _followed[order.Breaker] = order.Revision;
        return isNews;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "BreakerForced: an operator told the breaker {Breaker} to be {Hand} for {Time}: {Reason}", EventName = "BreakerForced")]
        public static partial void Followed(ILogger logger, string breaker, BreakerHand hand, TimeSpan time, string reason);
    }
}
