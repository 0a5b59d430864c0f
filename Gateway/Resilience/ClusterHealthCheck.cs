using HeartGrains.Gateway.RateLimiting;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace HeartGrains.Gateway.Resilience;

/// <summary>Ready while at least one silo is connected, once the quotas' policies have been heard of: before that every heart is refused.</summary>
internal sealed class ClusterHealthCheck(ClusterConnection connection, Quota quota) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
            !connection.IsConnected ? HealthCheckResult.Unhealthy("no silo is connected")
            : quota.IsReady ? HealthCheckResult.Healthy("connected")
            : HealthCheckResult.Unhealthy("the silos have not told the quotas' policies yet"));
}
