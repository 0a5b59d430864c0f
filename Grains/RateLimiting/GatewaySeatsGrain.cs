using Microsoft.Extensions.Options;

namespace HeartGrains.RateLimiting;

/// <summary>
/// Leases the seats. Every renewal is a write under the store's version check, before it is answered: of two activations only the one
/// that knows all renewals can give a seat away. Not reentrant, so that no renewal is decided on holders being written.
/// </summary>
public sealed class GatewaySeatsGrain(
    [PersistentState("gateway_seats_v1", RateLimitHosting.StorageName)] IPersistentState<GatewaySeatsState> storage,
    IOptions<RateLimitOptions> options,
    TimeProvider timeProvider) : Grain, IGatewaySeatsGrain
{
    /// <summary>How long a seat holds after a renewal.</summary>
    public const int LeaseSeconds = 15;

    // Two machines' clocks do not run at quite the same rate.
    private const double ClockMargin = 1.01;

    private readonly RateLimitOptions _options = options.Value;
    private GatewaySeats? _seats;

    /// <inheritdoc/>
    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (this.GetPrimaryKeyLong() != 0) throw new ArgumentException("The gateway seats grain's key is 0.");

        var reuse = (TimeSpan.FromSeconds(LeaseSeconds) + _options.FillTime) * ClockMargin;
        var reuseTicks = (long)Math.Ceiling(reuse.TotalSeconds * timeProvider.TimestampFrequency);
        _seats = new GatewaySeats(_options.GatewaySeats, reuseTicks, storage.State.Holders, timeProvider.GetTimestamp());
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask<GatewaySeat> RenewAsync(Guid gatewayId, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var sliceTokens = _options.EffectiveSliceTokens;
        if (sliceTokens == 0) return Seat(0);
        if (_seats!.Plan(gatewayId, timeProvider.GetTimestamp()) is not { } holders) return Seat(0);

        var before = storage.State;
        storage.State = new GatewaySeatsState { Holders = holders };
        try
        {
            await storage.WriteStateAsync();
        }
        catch
        {
            storage.State = before;
            throw;
        }

        _seats.Commit(holders, gatewayId, timeProvider.GetTimestamp());
        return Seat(sliceTokens);
    }

    private GatewaySeat Seat(int sliceTokens) => new(_options.TokenLimit, _options.TokensPerSecond, sliceTokens, LeaseSeconds);
}

/// <summary>The gateways that hold a seat.</summary>
[GenerateSerializer, Alias("ratelimiting.GatewaySeatsState")]
public sealed class GatewaySeatsState
{
    /// <summary>Gateway processes, in the order of their seats.</summary>
    [Id(0)] public Guid[] Holders { get; set; } = [];
}
