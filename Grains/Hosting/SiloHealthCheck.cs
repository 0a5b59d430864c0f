using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orleans.Runtime;

namespace HeartGrains.Hosting;

/// <summary>Ready while this silo is an active member of its cluster.</summary>
internal sealed class SiloHealthCheck(ISiloStatusOracle status) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(status.CurrentStatus == SiloStatus.Active
            ? HealthCheckResult.Healthy("active")
            : HealthCheckResult.Unhealthy(status.CurrentStatus.ToString().ToLowerInvariant()));
}
