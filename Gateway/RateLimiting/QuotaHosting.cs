using HeartGrains.Hosting;
using HeartGrains.RateLimiting;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>Wiring of the quota on a gateway.</summary>
public static class QuotaHosting
{
    /// <summary>Adds the quota over the cluster's client or the silo in this process.</summary>
    public static IServiceCollection AddQuota(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddQuotaSettings(configuration);
        services.TryAddSingleton(provider => new QuotaSlices(
            provider.GetRequiredService<LiveSettings<QuotaSettings>>().Current.SliceTableKeys, provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton<Quota>();
        services.TryAddSingleton<QuotaDesk>();
        services.TryAddSingleton<QuotaTaking>();
        services.AddHostedService<GatewaySeatLease>();
        return services;
    }

    /// <summary>Maps the quota's own routes.</summary>
    public static IEndpointRouteBuilder MapQuota(this IEndpointRouteBuilder routes)
    {
        QuotaEndpoints.Map(routes);
        return routes;
    }
}
