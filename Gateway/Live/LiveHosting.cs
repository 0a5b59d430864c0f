using HeartGrains.Gateway.Resilience;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Live;

/// <summary>Wires live hearts into a host.</summary>
internal static class LiveHosting
{
    /// <summary>Adds the hub and those who look after connections. Needs the calls to grains.</summary>
    public static IServiceCollection AddLive(this IServiceCollection services)
    {
        services.AddOptions<LiveOptions>().BindConfiguration(LiveOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton<LiveMetrics>();
        services.TryAddSingleton<ILiveSilos, LiveSilos>();
        services.TryAddSingleton(static provider =>
        {
            var hub = new LiveHub(
                provider.GetRequiredService<ILiveSilos>(), provider.GetRequiredService<LiveMetrics>(), provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<IOptions<LiveOptions>>().Value.MaxWatchedTargets);
            provider.GetRequiredService<ClusterConnection>().Changed += hub.RenewAll;
            return hub;
        });
        services.TryAddSingleton<LiveConnections>();
        services.TryAddSingleton<LiveDoor>();
        return services;
    }

    /// <summary>Maps <c>GET /api/v1/live</c>.</summary>
    public static IEndpointRouteBuilder MapLive(this IEndpointRouteBuilder routes)
    {
        LiveEndpoint.Map(routes);
        return routes;
    }
}
