using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace HeartGrains.Resilience;

/// <summary>Wiring of the breakers.</summary>
public static class BreakerHosting
{
    /// <summary>Adds the breakers and who carries operators' orders out on them, once.</summary>
    public static IServiceCollection AddBreakers(this IServiceCollection services)
    {
        services.AddOptions<BreakersOptions>().BindConfiguration(BreakersOptions.SectionName).PostConfigure<IConfiguration>(BreakDurations.Fit);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<Breakers>();
        services.TryAddSingleton<BreakerHandFollower>();
        return services;
    }

    /// <summary>Follows operators' orders; once in a process.</summary>
    public static IServiceCollection AddBreakerHand(this IServiceCollection services) =>
        services.AddHostedService(provider => provider.GetRequiredService<BreakerHandFollower>());
}
