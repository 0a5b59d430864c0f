using Orleans.Concurrency;

namespace HeartGrains.Webhooks;

/// <summary>Tells what this silo is configured with.</summary>
[StatelessWorker(maxLocalWorkers: 1)]
internal sealed class WebhookListGrain(WebhookSettings settings) : Grain, IWebhookListGrain
{
    /// <inheritdoc/>
    public ValueTask<WebhookName[]> ListAsync(CancellationToken cancellationToken = default) =>
        new([.. settings.Endpoints.Select(endpoint => new WebhookName(endpoint.Name, endpoint.Url.IdnHost))]);
}
