using HeartGrains.Gateway.Diagnostics;

namespace HeartGrains.Gateway.Resilience;

/// <summary>
/// Knows whether the gateway can reach a silo: at least one is connected, or one is embedded in this process. Orleans tells it of
/// every connection that opens or closes.
/// </summary>
public sealed class ClusterConnection : IClusterConnectionStatusObserver
{
    private readonly GatewayMetrics? _metrics;
    private volatile bool _isStarted;
    private volatile int _connections;

    private ClusterConnection(bool embedded, GatewayMetrics? metrics)
    {
        _metrics = metrics;
        _isStarted = embedded;
        _connections = embedded ? 1 : 0;
        metrics?.ShowConnected(embedded);
    }

    /// <summary>A grain call has a silo to go to.</summary>
    public bool IsConnected => _isStarted && _connections > 0;

    /// <summary>The connection of a gateway with a silo of its own: always there.</summary>
    public static ClusterConnection Embedded(GatewayMetrics metrics) => new(embedded: true, metrics);

    /// <summary>The connection of a gateway whose silos are elsewhere: not there yet.</summary>
    public static ClusterConnection Remote(GatewayMetrics metrics) => new(embedded: false, metrics);

    /// <summary>The Orleans client has started and may be called.</summary>
    internal void ClientStarted()
    {
        _isStarted = true;
        _metrics?.ShowConnected(IsConnected);
    }

    /// <inheritdoc/>
    public void NotifyGatewayCountChanged(int currentNumberOfGateways, int previousNumberOfGateways, bool connectionRecovered)
    {
        // Told from several threads and not always in order: the change counts, the totals may be stale.
        Interlocked.Add(ref _connections, currentNumberOfGateways - previousNumberOfGateways);
        _metrics?.ShowConnected(IsConnected);
    }

    /// <inheritdoc/>
    public void NotifyClusterConnectionLost() => _metrics?.ShowConnected(IsConnected);
}
