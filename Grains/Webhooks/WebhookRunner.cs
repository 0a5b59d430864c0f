using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Webhooks;

/// <summary>Keeps each endpoint's grain in the cluster alive: after a silo's death another silo's call brings it back.</summary>
internal sealed partial class WebhookRunner(IGrainFactory grains, WebhookSettings settings, TimeProvider time, ILogger<WebhookRunner> logger) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (settings.Endpoints.Count == 0) return;
        using var timer = new PeriodicTimer(Period, time);
        do
        {
            foreach (var endpoint in settings.Endpoints) await ServeAsync(endpoint.Name, stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task ServeAsync(string endpoint, CancellationToken stoppingToken)
    {
        try
        {
            await grains.GetGrain<IWebhookGrain>(IWebhookGrain.KeyPrefix + endpoint).ServeAsync(stoppingToken);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            Log.NotServed(logger, endpoint, exception.GetType().Name);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Debug, "The endpoint {Endpoint} could not be served just now: {Error}")]
        public static partial void NotServed(ILogger logger, string endpoint, string error);
    }
}
