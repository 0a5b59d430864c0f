using HeartGrains.Audit;
using HeartGrains.Diagnostics;
using HeartGrains.Hearts;
using HeartGrains.Hosting;
using HeartGrains.Jobs;
using HeartGrains.Ledger;
using HeartGrains.Live;
using HeartGrains.Moderation;
using HeartGrains.RateLimiting;
using HeartGrains.Resilience;
using HeartGrains.Users;
using HeartGrains.Webhooks;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace HeartGrains;

/// <summary>Makes a silo a home for hearts.</summary>
public static class GrainHosting
{
    /// <summary>The sections a process with grains reads, beside the host's own.</summary>
    public static IReadOnlyDictionary<string, Type> Features { get; } = new Dictionary<string, Type>
    {
        ["Hearts"] = typeof(HeartOptions),
        ["Ledger"] = typeof(LedgerOptions),
        [JobOptions.Name] = typeof(JobOptions),
        ["RateLimits"] = typeof(RateLimitOptions),
        [AuditOptions.Name] = typeof(AuditOptions),
        [BreakersOptions.Name] = typeof(BreakersOptions),
        [WebhookOptions.Name] = typeof(WebhookOptions),
        [TraceOptions.Name] = typeof(TraceOptions),
    };

    /// <summary>
    /// Adds the grains, the ledger of the mode and its writer. Register it before the silo itself, so that the ledger is open before the
    /// silo starts and is flushed after it has stopped.
    /// </summary>
    public static void AddHeartGrains(this IServiceCollection services, HostSettings settings, IConfiguration configuration)
    {
        services.AddSingleton(HeartKeysSource.Find(settings));
        services.AddOptions<HeartOptions>().Bind(configuration.GetSection("HeartGrains:Hearts")).ValidateDataAnnotations();
        services.AddOptions<LedgerOptions>().Bind(configuration.GetSection("HeartGrains:Ledger")).ValidateDataAnnotations();
        services.AddSingleton(static _ =>
        {
            var metrics = new GrainMetrics();
            metrics.ObservePool("heart_call", static () => HeartCall.Rents);
            return metrics;
        });
        services.AddSingleton<UnreadTargets>();
        services.AddBreakers();
        services.AddLedger(settings, configuration);
        services.AddHostedService<LedgerStartup>();
        services.AddModeration();
        services.AddSingleton<LedgerWriter>();
        services.AddHostedService(provider => provider.GetRequiredService<LedgerWriter>());
        services.AddHostedService<LedgerFolder>();
        services.AddWebhooks(settings, configuration);
        services.AddAudit(settings, configuration);
        services.AddJobs(configuration);
        services.AddUsers();
        services.AddSingleton<SiloLive>();
        services.AddHostedService(provider => provider.GetRequiredService<SiloLive>());
        services.AddHealthChecks()
            .AddCheck<LedgerHealthCheck>("ledger", tags: [HealthEndpoints.Ready])
            .AddCheck<SiloHealthCheck>("silo", tags: [HealthEndpoints.Ready]);
    }

    /// <summary>What every silo of ours has in common, embedded or not.</summary>
    public static ISiloBuilder UseHeartGrainsDefaults(this ISiloBuilder silo)
    {
        silo.Configure<SiloMessagingOptions>(messaging =>
        {
            messaging.ResponseTimeout = TimeSpan.FromSeconds(3);
            messaging.MaxMessageBodySize = 1024 * 1024;
        });
        silo.Services.AddOptions<GrainCollectionOptions>().Configure<IOptions<HeartOptions>>((collection, hearts) =>
            collection.ClassSpecificCollectionAge[typeof(HeartGrain).FullName!] = hearts.Value.IdleTime);
        if (silo.Configuration.HasTraces()) silo.AddActivityPropagation();
        return silo;
    }
}
