using HeartGrains.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Webhooks;

/// <summary>Wires webhooks into a silo.</summary>
internal static class WebhookHosting
{
    public static void AddWebhooks(this IServiceCollection services, HostSettings settings, IConfiguration configuration)
    {
        services.AddSingleton(WebhookSettings.Read(configuration, settings.Mode));
        services.AddSingleton<WebhookSender>();
        services.AddSingleton<WebhookMetrics>();
        services.AddHostedService<WebhookRunner>();
    }
}
