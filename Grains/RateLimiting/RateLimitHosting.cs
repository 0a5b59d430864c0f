using HeartGrains.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace HeartGrains.RateLimiting;

/// <summary>Wiring of the quota on a silo.</summary>
public static class RateLimitHosting
{
    /// <summary>The grain storage that holds quotas and seats; the host has to provide one of this name.</summary>
    public const string StorageName = "quota";

    /// <summary>Reads and checks the policies. The grain storage <see cref="StorageName"/> is the host's to add.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="spareSeats">See <see cref="SpareSeats"/>.</param>
    public static ISiloBuilder AddRateLimiting(this ISiloBuilder silo, int spareSeats)
    {
        silo.Services.AddQuotaSettings(silo.Configuration);
        silo.Services.AddSingleton(new SpareSeats(spareSeats));
        silo.Services.AddSingleton<SiloSeats>();
        silo.Services.AddHostedService(provider => provider.GetRequiredService<SiloSeats>());
        return silo;
    }

    /// <summary>The policies, as the configuration has them now and later; wrong ones throw at once. Safe to call more than once.</summary>
    public static IServiceCollection AddQuotaSettings(this IServiceCollection services, IConfiguration configuration)
    {
        _ = QuotaSettings.Read(configuration);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => new LiveSettings<QuotaSettings>(
            configuration, QuotaSettings.Read, provider.GetRequiredService<ILogger<LiveSettings<QuotaSettings>>>()));
        return services;
    }
}
