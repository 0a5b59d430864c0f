using System.Net;
using Grpc.AspNetCore.Server;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Live;
using HeartGrains.Gateway.Overload;
using HeartGrains.Hosting;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using HeartsApi = HeartGrains.V1.Hearts;

namespace HeartGrains.Gateway.Grpc;

/// <summary>Wires the gRPC port into a host. Without the setting of a port there is none, and none of this.</summary>
internal static class GrpcHosting
{
    private static readonly TimeSpan ShortestPing = TimeSpan.FromSeconds(1);

    /// <summary>Adds the services and makes the server listen.</summary>
    /// <exception cref="StartException">The port is taken.</exception>
    public static void AddGrpcPort(this WebApplicationBuilder builder)
    {
        var options = builder.Configuration.Read<GrpcOptions>(GrpcOptions.Section);
        if (options.Port is not { } number) return;
        var settings = builder.Settings();
        if (number != 0 && number == settings.Port) throw StartException.Setting(GrpcOptions.Section + ":Port", $"{number} is the port of HTTP; choose another");
        if (number != 0 && number == settings.Admin.Port) throw StartException.Setting(GrpcOptions.Section + ":Port", $"{number} is the operators' port; choose another");
        var address = IPAddress.Parse(settings.Listen);
        builder.RequireFreePort(address, number, GrpcOptions.Section);

        var port = new GrpcPort(options.Reflection ?? IPAddress.IsLoopback(address));
        builder.Services.AddSingleton(port);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            var live = kestrel.ApplicationServices.GetRequiredService<IOptions<LiveOptions>>().Value;
            kestrel.Limits.Http2.KeepAlivePingDelay = live.PingPeriod > ShortestPing ? live.PingPeriod : ShortestPing;
            kestrel.Limits.Http2.KeepAlivePingTimeout = live.PingTimeout > ShortestPing ? live.PingTimeout : ShortestPing;
            port.Listen(kestrel, address, number);
        });
        builder.Services.AddServices();

        // Refusals and defects have lines of ours.
        builder.Logging.AddFilter("Grpc.AspNetCore.Server", LogLevel.None);
    }

    /// <summary>Sends what comes by the port into the pipeline of gRPC. Goes before everything else.</summary>
    public static IApplicationBuilder UseGrpcPort(this IApplicationBuilder app)
    {
        if (app.ApplicationServices.GetService<GrpcPort>() is null) return app;
        var pipeline = GrpcPort.Build(app.ApplicationServices, Map);
        return app.Use(next => context =>
        {
            if (!GrpcPort.IsOf(context)) return next(context);

            // HTTP's routes have been looked through by now.
            context.SetEndpoint(null);
            context.Request.RouteValues.Clear();
            return pipeline(context);
        });
    }

    private static void AddServices(this IServiceCollection services)
    {
        services.AddSingleton<GrpcInterceptor>();
        services.AddSingleton<HeartsService>();
        services.AddSingleton<WatchCalls>();
        services.AddGrpc(static options =>
        {
            options.IgnoreUnknownServices = true;
            options.MaxReceiveMessageSize = GrpcMessageWait.MessageByteLimit;
            options.Interceptors.Add<GrpcInterceptor>();
        });
        services.AddGrpcHealthChecks(static health =>
        {
            foreach (var name in (string[])["", HeartsApi.Descriptor.FullName])
                health.Services.Map(name, static check => check.Tags.Contains(HealthEndpoints.Ready));
        });
        services.Configure<HealthCheckPublisherOptions>(static publisher => (publisher.Delay, publisher.Period) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5)));
        services.AddGrpcReflection();
    }

    private static void Map(IEndpointRouteBuilder routes)
    {
        var metrics = routes.ServiceProvider.GetRequiredService<GatewayMetrics>();
        routes.MapGrpcService<HeartsService>().Add(endpoint =>
        {
            if (endpoint.Metadata.OfType<GrpcMethodMetadata>().FirstOrDefault()?.Method.Name is not { } method) return;
            var name = "grpc_" + NameOf(method);
            endpoint.DisplayName = name;
            endpoint.Metadata.Add(metrics.TimesOf(name));
            endpoint.Metadata.Add(method == nameof(HeartsService.Watch) ? (object)NeverRefused.Instance : JudgesCallers.Instance);
        });
        routes.MapGrpcHealthChecksService().NeverRefused();
        if (routes.ServiceProvider.GetRequiredService<GrpcPort>().HasReflection) routes.MapGrpcReflectionService().NeverRefused();
    }

    private static string NameOf(string method) => method == nameof(HeartsService.AcquireQuota) ? "quota_acquire" : method.ToLowerInvariant();
}
