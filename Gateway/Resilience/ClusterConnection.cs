using HeartGrains.Gateway.Diagnostics;

namespace HeartGrains.Gateway.Resilience;

/// <summary>
/// Knows whether the gateway can reach a silo: one is embedded in this process, or at least one is connected and has answered a call since there was
/// none. Orleans tells it of every connection that opens or closes; an open one is not enough, a silo that has yet to join answers nothing.
/// </summary>
public sealed class ClusterConnection : IClusterConnectionStatusObserver
{
    private readonly GatewayMetrics? _metrics;
    private volatile bool _hasAnswered;
    private volatile int _connections;

    private ClusterConnection(bool embedded, GatewayMetrics? metrics)
    {
        _metrics = metrics;
        _hasAnswered = embedded;
        _connections = embedded ? 1 : 0;
        metrics?.ShowConnected(embedded);
    }

    /// <summary>A silo has come or gone: what is held in silos may be there no more. Raised on Orleans' threads; must not block.</summary>
    internal Action? Changed { get; set; }

    /// <summary>A grain call has a silo to go to.</summary>
    public bool IsConnected => _hasAnswered && _connections > 0;

    /// <summary>The connection of a gateway with a silo of its own: always there.</summary>
    public static ClusterConnection Embedded(GatewayMetrics metrics) => new(embedded: true, metrics);

    /// <summary>The connection of a gateway whose silos are elsewhere: not there yet.</summary>
    public static ClusterConnection Remote(GatewayMetrics metrics) => new(embedded: false, metrics);

    /// <summary>A silo answered a call.</summary>
    internal void Answered()
    {
        _hasAnswered = true;
        _metrics?.ShowConnected(IsConnected);
    }

    /// <inheritdoc/>
    public void NotifyGatewayCountChanged(int currentNumberOfGateways, int previousNumberOfGateways, bool connectionRecovered)
    {
        // Told from several threads and not always in order: the change counts, the totals may be stale.
        if (Interlocked.Add(ref _connections, currentNumberOfGateways - previousNumberOfGateways) == 0) _hasAnswered = false;
        _metrics?.ShowConnected(IsConnected);
        Changed?.Invoke();
    }

    /// <inheritdoc/>
    public void NotifyClusterConnectionLost()
    {
        _metrics?.ShowConnected(IsConnected);
        Changed?.Invoke();
    }
}
