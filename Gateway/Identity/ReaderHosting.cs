using HeartGrains.Hearts;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Identity;

/// <summary>Wires anonymous readers into a host.</summary>
internal static class ReaderHosting
{
    public static IServiceCollection AddReaders(this IServiceCollection services)
    {
        services.AddOptions<ReaderOptions>().BindConfiguration(ReaderOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<ReaderMetrics>();
        services.AddSingleton(static provider => new Readers(
            provider.GetRequiredService<IOptions<ReaderOptions>>(), provider.GetRequiredService<Sites.SiteList>(), provider.GetRequiredService<ReaderMetrics>(),
            provider.GetRequiredService<TimeProvider>(), provider.GetService<HeartKeys>()));
        return services;
    }
}
