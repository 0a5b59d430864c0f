using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Resilience;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace HeartGrains.Gateway.Resilience;

/// <summary>Wires the way to the grains into a host.</summary>
public static class ResilienceHosting
{
    /// <summary>
    /// The pipelines to the grains, their options and metrics. The silo is taken to be in this process unless
    /// <see cref="AddClusterClient"/> is called too.
    /// </summary>
    public static IServiceCollection AddHeartCalls(this IServiceCollection services)
    {
        services.AddOptions<ResilienceOptions>().BindConfiguration(ResilienceOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddRequestDiagnostics();
        services.TryAddSingleton(static provider => ClusterConnection.Embedded(provider.GetRequiredService<GatewayMetrics>()));
        services.AddBreakers();
        services.TryAddSingleton<SiloDirectory>();
        services.TryAddSingleton<SiloProbe>();
        services.TryAddSingleton<RecoveryMetrics>();
        services.TryAddSingleton<GrainAddresses>();
        services.TryAddSingleton<GrainCalls>();
        services.TryAddSingleton<LastKnown>();
        services.TryAddSingleton<HeartGiving>();
        services.TryAddSingleton<HeartReading>();
        services.TryAddSingleton<HeartLists>();
        return services;
    }

    /// <summary>
    /// An Orleans client of silos elsewhere. Instead of <c>UseOrleansClient</c>: the host starts at once, and keeps looking for a
    /// silo until it finds one or stops.
    /// </summary>
    public static IHostApplicationBuilder AddClusterClient(this IHostApplicationBuilder builder, Action<IClientBuilder> configure)
    {
        var services = builder.Services;
        var before = services.Count;
        builder.UseOrleansClient(client =>
        {
            client.UseConnectionRetryFilter<PatientConnectionRetry>();
            configure(client);
        });
        TakeOverStart(services, before);

        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<GatewayMetrics>();
        services.Replace(ServiceDescriptor.Singleton(static provider => ClusterConnection.Remote(provider.GetRequiredService<GatewayMetrics>())));
        services.AddSingleton<IClusterConnectionStatusObserver>(static provider => provider.GetRequiredService<ClusterConnection>());
        services.AddHostedService<ClusterClientStarter>();
        services.TryAddSingleton<SiloDirectory>();
        services.AddHostedService<SiloDirectoryRefresh>();
        return builder;
    }

    /// <summary>Maps the breakers' routes.</summary>
    internal static void MapBreakers(this IEndpointRouteBuilder routes) => BreakerEndpoints.Map(routes);

    /// <summary>Takes out the hosted service by which Orleans would hold up the host's start until a silo answers.</summary>
    private static void TakeOverStart(IServiceCollection services, int from)
    {
        var own = new List<int>();
        for (var index = from; index < services.Count; index++)
        {
            if (services[index].ServiceType == typeof(IHostedService) && services[index].ImplementationFactory is not null) own.Add(index);
        }

        if (own is not [var client])
            throw new InvalidOperationException($"Expected one hosted service of the Orleans client, found {own.Count}: this version of Orleans starts differently.");
        services.RemoveAt(client);
    }
}
