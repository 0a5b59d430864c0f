using HeartGrains.Hosting;
using HeartGrains.Jobs;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Audit;

/// <summary>Seals the log of a silo and compares everything with it.</summary>
internal static class AuditHosting
{
    public static void AddAudit(this IServiceCollection services, HostSettings settings, IConfiguration configuration)
    {
        services.AddOptions<AuditOptions>().Bind(configuration.GetSection(AuditOptions.Section)).ValidateDataAnnotations();
        services.AddSingleton<AuditMetrics>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<KeptHead>(provider, settings));
        services.AddGrainService<SealHeadService>();
        services.AddSingleton<SealHeads>();
        services.AddSingleton<Verifier>();
        services.AddSingleton<IJobWork, VerifyWork>();
        services.AddHostedService<LogSealer>();
        services.AddHostedService<DriftWatch>();
    }
}
