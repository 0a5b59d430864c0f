using HeartGrains.Resilience;

namespace HeartGrains.Gateway.Resilience;

/// <summary>Whom an order has reached.</summary>
internal enum BreakerReach
{
    /// <summary>Nobody: it has not left this process.</summary>
    None,

    /// <summary>No answer came in time; it may have reached the cluster.</summary>
    Unknown,

    /// <summary>The whole cluster follows.</summary>
    Cluster,
}

/// <summary>The silos' part in operators' calls on breakers, each with a patience of its own.</summary>
internal sealed class BreakerSilos(IGrainFactory grains, ClusterConnection connection, TimeProvider time)
{
    private static readonly TimeSpan TellPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReadPatience = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private Task<SiloBreakers[]?> _reading = Task.FromResult<SiloBreakers[]?>(null);

    /// <summary>How the silos' breakers stand, or null when no silo answers. Who asks meanwhile shares the answer: many readers cost the silos no more than one.</summary>
    public Task<SiloBreakers[]?> ReadAsync()
    {
        lock (_gate) return _reading.IsCompleted ? _reading = AskAsync() : _reading;
    }

    /// <summary>Gives the order to the cluster, and says what revision it got there.</summary>
    public async Task<(BreakerOrder Order, BreakerReach Reach)> TellAsync(BreakerOrder order, CancellationToken cancellationToken)
    {
        var reach = BreakerReach.None;
        for (var attempt = 0; attempt < 2 && connection.IsConnected; attempt++)
        {
            try
            {
                var revision = await grains.GetGrain<IBreakerHandGrain>(0).SetAsync(order, cancellationToken).AsTask().WaitAsync(TellPatience, time, cancellationToken);
                return (order with { Revision = revision }, BreakerReach.Cluster);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                if (!GrainCall.WasNotSent(exception)) reach = BreakerReach.Unknown;
            }
        }

        return (order, reach);
    }

    private async Task<SiloBreakers[]?> AskAsync()
    {
        if (!connection.IsConnected) return null;
        try
        {
            return await grains.GetGrain<IBreakerHandGrain>(0).SilosAsync().AsTask().WaitAsync(ReadPatience, time);
        }
        catch (Exception)
        {
            return null;
        }
    }
}
