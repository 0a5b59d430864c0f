using System.Net;
using HeartGrains.Hosting;
using HeartGrains.RateLimiting;
using HeartGrains.Resilience;
using HeartGrains.Storage;
using Orleans.Configuration;
using Orleans.Dashboard;
using StackExchange.Redis;

namespace HeartGrains.Silo;

/// <summary>A member of the cluster: grains over PostgreSQL, membership in Redis.</summary>
internal static class SiloHosting
{
    /// <summary>The sections a silo reads; a cluster's shared settings may hold the gateways' too.</summary>
    public static IReadOnlyDictionary<string, Type> Features { get; } =
        new Dictionary<string, Type>(GrainHosting.Features)
        {
            ["Resilience"] = typeof(object),
            ["Overload"] = typeof(object),
            ["LocalLimits"] = typeof(object),
            ["Live"] = typeof(object),
            ["Grpc"] = typeof(object),
            ["Pages"] = typeof(object),
            ["Docs"] = typeof(object),
            ["TrustedProxies"] = typeof(object),
            ["Sites"] = typeof(object),
            ["Readers"] = typeof(object),
            ["Auth"] = typeof(object),
            ["OpenHeart"] = typeof(object),
            ["Applause"] = typeof(object),
        };

    public static void AddSilo(this WebApplicationBuilder builder)
    {
        var settings = builder.Settings();
        builder.Services.AddHeartGrains(settings, builder.Configuration);

        // Read here: Orleans would do it when it starts, and config show starts nothing.
        var redis = RedisConnection.Parse(builder.Configuration.RequiredConnection("Redis"));
        builder.UseOrleans(silo =>
        {
            silo.UseHeartGrainsDefaults();
            silo.UseCluster(settings, redis);
            silo.AddRateLimiting(spareSeats: 1);
            silo.AddPostgresGrainStorage(RateLimitHosting.StorageName, builder.Configuration);
            if (settings.Dashboard is true) silo.AddDashboard();
        });
        builder.Services.AddHostedService<MembershipWatchdog>();
        builder.Services.AddBreakerHand();
    }

    public static void MapDashboard(this WebApplication app)
    {
        if (app.Services.GetRequiredService<HostSettings>().Dashboard is true) app.MapOrleansDashboard(routePrefix: "/dashboard").WithReadableSilos().On(Ports.Operators);
    }

    private static void UseCluster(this ISiloBuilder silo, HostSettings settings, ConfigurationOptions redis)
    {
        var cluster = settings.Cluster;
        if (!IPAddress.TryParse(cluster.AdvertisedAddress, out var address))
            throw StartException.Setting("HeartGrains:Cluster:AdvertisedAddress", $"'{cluster.AdvertisedAddress}' is not an IP address");

        silo.Configure<ClusterOptions>(options => (options.ClusterId, options.ServiceId) = (cluster.ClusterId, cluster.ServiceId));

        // Gateways that cannot reach grains ask over HTTP whether a silo is ready, and find it by this name.
        silo.Configure<SiloOptions>(options => options.SiloName = $"http://{address}:{settings.Port}");
        silo.UseRedisClustering(options => options.ConfigurationOptions = redis);
        silo.ConfigureEndpoints(address, cluster.SiloPort, cluster.ClientPort, listenOnAnyHostAddress: false);

        // A killed silo is noticed within 6 s and a hung one within 15 s; docs/operations.md has the measurements.
        silo.Configure<ClusterMembershipOptions>(options =>
        {
            options.ProbeTimeout = TimeSpan.FromSeconds(1);
            options.MinProbeTimeout = TimeSpan.FromMilliseconds(500);
            options.MaxProbeTimeout = TimeSpan.FromSeconds(1.5);
            options.NumMissedProbesLimit = 3;
            options.NumVotesForDeathDeclaration = 2;
            options.TableRefreshTimeout = TimeSpan.FromSeconds(2);
            options.DefunctSiloExpiration = TimeSpan.FromHours(1);

            // After all silos died at once nobody is left to vote them out: a new one may pass over rows not refreshed for three periods.
            options.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(3);
            options.NumMissedTableIAmAliveLimit = 3;
        });
    }
}
