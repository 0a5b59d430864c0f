using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HeartGrains.Gateway.Resilience;

/// <summary>Ready while at least one silo is connected.</summary>
internal sealed class ClusterHealthCheck(ClusterConnection connection) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(connection.IsConnected ? HealthCheckResult.Healthy("connected") : HealthCheckResult.Unhealthy("no silo is connected"));
}
