using HeartGrains.Hearts;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace HeartGrains.Ledger;

/// <summary>Opens the ledger before the silo takes its first call.</summary>
internal sealed class LedgerStartup(IHeartLedger ledger, HeartKeys keys) : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => ledger.InitializeAsync(keys.Fingerprint, cancellationToken);

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

/// <summary>Ready while the ledger answers.</summary>
internal sealed class LedgerHealthCheck(IHeartLedger ledger) : IHealthCheck
{
    /// <inheritdoc/>
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await ledger.CheckAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (LedgerException exception)
        {
            return HealthCheckResult.Unhealthy(exception.Message);
        }
    }
}
