using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Hosting;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Identity;

/// <summary>Wires who calls into a host: users' tokens, servers' keys, anonymous readers.</summary>
internal static class IdentityHosting
{
    public static IServiceCollection AddIdentity(this IServiceCollection services)
    {
        services.AddReaders();
        services.AddOptions<AuditOptions>().BindConfiguration(AuditOptions.Section);
        services.AddSingleton<CallerNetworks>();
        services.AddSingleton(static provider => new LiveSettings<AuthPolicy>(
            provider.GetRequiredService<IConfiguration>(), AuthPolicy.Read, provider.GetRequiredService<ILogger<AuthPolicy>>()));
        services.AddSingleton<Credentials>();
        services.AddSingleton<Callers>();
        return services;
    }

    private static void AddReaders(this IServiceCollection services)
    {
        services.AddOptions<ReaderOptions>().BindConfiguration(ReaderOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<ReaderMetrics>();
        services.AddSingleton(static provider => new Readers(
            provider.GetRequiredService<IOptions<ReaderOptions>>(), provider.GetRequiredService<Sites.SiteList>(), provider.GetRequiredService<ReaderMetrics>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetService<HeartKeys>()));
    }
}
