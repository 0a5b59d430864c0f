using HeartGrains.Diagnostics;
using HeartGrains.Gateway.Applause;
using HeartGrains.Gateway.Audit;
using HeartGrains.Gateway.Buttons;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Embed;
using HeartGrains.Gateway.Grpc;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Jobs;
using HeartGrains.Gateway.Live;
using HeartGrains.Gateway.Moderation;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.OpenHeart;
using HeartGrains.Gateway.Operations;
using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.Pages;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Gateway.Sites;
using HeartGrains.Gateway.Users;
using HeartGrains.Gateway.Webhooks;
using HeartGrains.Hosting;
using HeartGrains.Resilience;
using Orleans.Configuration;
using Orleans.Dashboard;

namespace HeartGrains.Gateway;

/// <summary>What a gateway is made of.</summary>
internal static class GatewayHosting
{
    /// <summary>The sections a gateway reads.</summary>
    public static IReadOnlyDictionary<string, Type> Features { get; } =
        new Dictionary<string, Type>(GrainHosting.Features)
        {
            ["Resilience"] = typeof(ResilienceOptions),
            ["Overload"] = typeof(OverloadOptions),
            [LocalLimitOptions.Name] = typeof(LocalLimitOptions),
            [LiveOptions.Name] = typeof(LiveOptions),
            [GrpcOptions.Name] = typeof(GrpcOptions),
            [PageOptions.Name] = typeof(PageOptions),
            [DocsOptions.Name] = typeof(DocsOptions),
            [TrustedProxies.Name] = typeof(string[]),
            [SiteList.Name] = typeof(string[]),
            ["Readers"] = typeof(ReaderOptions),
            [AuthOptions.Name] = typeof(AuthOptions),
            [OpenHeartOptions.Name] = typeof(OpenHeartOptions),
            [ApplauseOptions.Name] = typeof(ApplauseOptions),
        };

    /// <summary>The way to the grains: a silo in this process, or the cluster's silos.</summary>
    public static void AddGrainCalls(this WebApplicationBuilder builder)
    {
        var settings = builder.Settings();
        settings.Dashboard = settings.ShowsDashboard();
        if (settings.Mode == HostMode.Cluster) builder.AddClusterGateway(settings);
        else builder.AddEmbeddedSilo(settings);
    }

    public static void AddGateway(this WebApplicationBuilder builder)
    {
        builder.Services.AddLocalLimits();
        builder.Services.AddSites();
        builder.Services.AddIdentity().AddTokens(builder.Configuration);
        builder.Services.AddButtons();
        builder.Services.AddOverloadGuard();
        builder.Services.AddQuota(builder.Configuration);
        builder.Services.AddHeartCalls();
        builder.Services.AddJobDesk();
        builder.Services.AddUsers();
        builder.Services.AddLive();
        builder.Services.AddBreakerHand();
        builder.Services.AddEmbed();
        builder.Services.AddDocs();
        builder.AddGrpcPort();
        builder.Services.AddHealthChecks().AddCheck<ClusterHealthCheck>("cluster", tags: [HealthEndpoints.Ready]);
    }

    /// <summary>What a request goes through, in this order, and everything that answers.</summary>
    public static void UseGateway(this WebApplication app)
    {
        app.UseGrpcPort();
        app.UseSteps(routing: static app => app.UseSites());

        app.MapHearts();
        app.MapReaders();
        app.MapLive();
        app.MapButtons();
        app.MapQuota();
        app.MapBreakers();
        app.MapModeration();
        app.MapWebhooks();
        app.MapAudit();
        app.MapJobs();
        app.MapUsers();
        app.MapEmbed();
        app.MapPages();
        app.MapOperations(static (path, endpoint) => endpoint.Describe(HealthOperations.Of(path)));
        app.MapDashboard();
        app.MapDocs();
    }

    /// <summary>The steps that requests of HTTP and calls of gRPC go through alike, in this order, with room for what only one of them needs.</summary>
    internal static void UseSteps(
        this IApplicationBuilder app, AnswerStatus? statusOf = null, Action<IApplicationBuilder>? answers = null, Action<IApplicationBuilder>? routing = null, Action<IApplicationBuilder>? message = null)
    {
        app.UseTrustedProxies();
        app.UseRequestDiagnostics(statusOf);
        answers?.Invoke(app);
        app.UseProblems();
        routing?.Invoke(app);
        app.UseLocalLimits();
        app.UseIdentity();
        message?.Invoke(app);
        app.UseOverloadGuard(statusOf);
    }

    private static void MapDashboard(this WebApplication app)
    {
        if (app.Services.GetRequiredService<HostSettings>().ShowsDashboard()) app.MapOrleansDashboard(routePrefix: "/dashboard").WithReadableSilos().WithOperatorsOnly();
    }

    private static void AddClusterGateway(this WebApplicationBuilder builder, HostSettings settings)
    {
        var redis = builder.Configuration.RequiredConnection("Redis");
        builder.AddClusterClient(client =>
        {
            client.Configure<ClusterOptions>(options =>
                (options.ClusterId, options.ServiceId) = (settings.Cluster.ClusterId, settings.Cluster.ServiceId));
            if (client.Configuration.HasTraces()) client.AddActivityPropagation();
            client.UseRedisClustering(options => options.ConfigurationOptions = RedisConnection.Parse(redis));
            client.Configure<GatewayOptions>(options => options.GatewayListRefreshPeriod = TimeSpan.FromSeconds(5));
            client.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(3));
        });
    }
}
