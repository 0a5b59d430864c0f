using HeartGrains.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Storage;

namespace HeartGrains.Resilience;

/// <summary>
/// Keeps the orders. Who asks sees one at once, before it is stored, because the store may be why there is an order; where it does not answer they are kept in
/// memory alone, and an activation starts without what it cannot load. Calls interleave: orders change in one step, and none awaits in between.
/// </summary>
[Reentrant]
public sealed class BreakerHandGrain(
    [FromKeyedServices(RateLimitHosting.StorageName)] IGrainStorage storage, TimeProvider time, ILogger<BreakerHandGrain> logger) : Grain, IBreakerHandGrain
{
    private readonly BreakerOrders _orders = new(time);
    private readonly SiloBreakersBoard _silos = new(time);
    private BreakerOrderStore _store = null!;

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _store = new BreakerOrderStore(_orders, storage, this.GetGrainId(), time, logger);
        return _store.CatchUpAsync();
    }

    /// <inheritdoc/>
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _orders.AreStored ? Task.CompletedTask : _store.CatchUpAsync();

    /// <inheritdoc/>
    public async ValueTask<long> SetAsync(BreakerOrder order, CancellationToken cancellationToken = default)
    {
        if (!Breakers.Names.Contains(order.Breaker)) throw new ArgumentException("There is no such breaker.", nameof(order));
        var set = _orders.Set(order);
        await _store.CatchUpAsync();
        return _orders.RevisionOf(order.Breaker, set);
    }

    /// <inheritdoc/>
    public ValueTask<BreakerOrder[]> GetAsync(SiloBreakers? told = null, CancellationToken cancellationToken = default)
    {
        if (told is not null) _silos.Put(told);
        _store.CatchUpLater();
        return new(_orders.Read());
    }

    /// <inheritdoc/>
    public ValueTask<SiloBreakers[]> SilosAsync(CancellationToken cancellationToken = default) => new(_silos.Read());
}
