using HeartGrains.RateLimiting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>Wiring of the quota on a gateway.</summary>
public static class QuotaHosting
{
    /// <summary>Adds <see cref="IQuota"/> over the cluster's client or the silo in this process.</summary>
    public static IServiceCollection AddQuota(this IServiceCollection services)
    {
        services.AddRateLimitOptions();
        services.TryAddSingleton(provider => new QuotaSlices(
            provider.GetRequiredService<IOptions<RateLimitOptions>>().Value.SliceTableUsers,
            provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<ClusterQuota>();
        services.TryAddSingleton<IQuota>(provider => provider.GetRequiredService<ClusterQuota>());
        services.AddHostedService<GatewaySeatLease>();
        return services;
    }
}
