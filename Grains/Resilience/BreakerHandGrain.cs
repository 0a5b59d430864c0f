using HeartGrains.RateLimiting;
using Microsoft.Extensions.Logging;
using Orleans.Storage;

namespace HeartGrains.Resilience;

/// <summary>
/// Keeps the orders. They are stored, so that they outlive the silo; where the store does not answer, which may be why there is an order, they are kept in memory alone.
/// </summary>
public sealed partial class BreakerHandGrain(
    [PersistentState("breaker_orders_v1", RateLimitHosting.StorageName)] IPersistentState<BreakerOrdersState> storage,
    TimeProvider timeProvider,
    ILogger<BreakerHandGrain> logger) : Grain, IBreakerHandGrain
{
    /// <inheritdoc/>
    public async ValueTask<long> SetAsync(BreakerOrder order, CancellationToken cancellationToken = default)
    {
        if (!Breakers.Names.Contains(order.Breaker)) throw new ArgumentException("There is no such breaker.", nameof(order));
        var now = timeProvider.GetUtcNow();

        // By the clock, so that it grows also where an earlier one was never stored.
        storage.State.LastRevision = Math.Max(storage.State.LastRevision + 1, now.ToUnixTimeMilliseconds());
        storage.State.Orders[order.Breaker] = new StoredBreakerOrder(
            order.Hand, now.AddMilliseconds(order.RemainingMillis).ToUnixTimeMilliseconds(), order.Reason, storage.State.LastRevision);
        try
        {
            await storage.WriteStateAsync();
        }
        catch (Exception exception) when (exception is not InconsistentStateException)
        {
            Log.NotStored(logger, exception);
        }

        return storage.State.LastRevision;
    }

    /// <inheritdoc/>
    public ValueTask<BreakerOrder[]> GetAsync(CancellationToken cancellationToken = default)
    {
        var now = timeProvider.GetUtcNow().ToUnixTimeMilliseconds();
        return new([.. storage.State.Orders.Select(order => new BreakerOrder(
            order.Key,
            order.Value.UntilMillis > now ? order.Value.Hand : BreakerHand.Auto,
            Math.Max(0, order.Value.UntilMillis - now),
            order.Value.Reason,
            order.Value.Revision))]);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "An operator's order to a breaker was not stored: it is lost if this silo stops")]
        public static partial void NotStored(ILogger logger, Exception exception);
    }
}

/// <summary>The orders as they are stored.</summary>
[GenerateSerializer, Alias("resilience.BreakerOrdersState")]
public sealed class BreakerOrdersState
{
    /// <summary>The latest of each breaker.</summary>
    [Id(0)] public Dictionary<string, StoredBreakerOrder> Orders { get; set; } = [];

    /// <summary>The revision given last.</summary>
    [Id(1)] public long LastRevision { get; set; }
}

/// <summary>An order, until a time of the wall clock in Unix milliseconds.</summary>
[GenerateSerializer, Immutable, Alias("resilience.StoredBreakerOrder")]
public sealed record StoredBreakerOrder(
    [property: Id(0)] BreakerHand Hand, [property: Id(1)] long UntilMillis, [property: Id(2)] string Reason, [property: Id(3)] long Revision);
