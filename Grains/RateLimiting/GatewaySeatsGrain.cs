using HeartGrains.Hosting;

namespace HeartGrains.RateLimiting;

/// <summary>
/// Leases the seats. Every answer is a write under the store's version check first: of two activations only the one that knows all renewals can
/// give a seat away or tell how many there are. Not reentrant, so that nothing is decided on seats being written.
/// </summary>
public sealed class GatewaySeatsGrain(
    [PersistentState("gateway_seats_v2", RateLimitHosting.StorageName)] IPersistentState<GatewaySeatsState> storage,
    LiveSettings<QuotaSettings> settings,
    SpareSeats spares,
    TimeProvider timeProvider) : Grain, IGatewaySeatsGrain
{
    /// <summary>How long a seat, and the number of seats, hold after an answer.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    // Two machines' clocks do not run at quite the same rate.
    private const double ClockMargin = 1.01;

    private GatewaySeats _seats = null!;

    /// <summary>The lease as the grain counts it.</summary>
    public static long LeaseTicks(long ticksPerSecond) => (long)Math.Ceiling(Lease.TotalSeconds * ClockMargin * ticksPerSecond);

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (this.GetPrimaryKeyLong() != 0) throw new ArgumentException("The gateway seats grain's key is 0.");
        _seats = new GatewaySeats(
            spares.Count, LeaseTicks(timeProvider.TimestampFrequency), FillTicks, storage.RecordExists ? storage.State : null, timeProvider.GetTimestamp());
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask<GatewaySeat> RenewAsync(Guid gatewayId, CancellationToken cancellationToken = default)
    {
        var (index, term, freeSince) = await StoreAsync(gatewayId, cancellationToken);
        var free = timeProvider.GetElapsedTime(freeSince).TotalMilliseconds;
        return new GatewaySeat(
            settings.Current.Policies, index, term, (long)Math.Min(free, long.MaxValue / 2), (long)Lease.TotalMilliseconds);
    }

    /// <inheritdoc/>
    public async ValueTask<SeatCount> CountAsync(CancellationToken cancellationToken = default)
    {
        await StoreAsync(null, cancellationToken);
        return new SeatCount(_seats.Count, (long)Lease.TotalMilliseconds);
    }

    private long FillTicks() =>
        settings.Current.Policies.Where(policy => policy.SlicedSeats > 0).Select(policy => policy.WindowTicks(timeProvider.TimestampFrequency)).DefaultIfEmpty().Max();

    private async Task<(int Index, long Term, long FreeSince)> StoreAsync(Guid? gatewayId, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var plan = _seats.Plan(gatewayId, timeProvider.GetTimestamp());
        var before = storage.State;
        storage.State = plan.State;
        try
        {
            await storage.WriteStateAsync();
        }
        catch
        {
            storage.State = before;
            throw;
        }

        return _seats.Commit(plan, timeProvider.GetTimestamp());
    }
}

/// <summary>How many seats are kept free for gateways that join.</summary>
/// <param name="Count">1 in a cluster; 0 where the one gateway is in the silo's process.</param>
public sealed record SpareSeats(int Count);
