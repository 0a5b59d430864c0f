using Prometheus;

namespace HeartGrains.Webhooks;

/// <summary>What came of an attempt, as counted.</summary>
internal enum WebhookResult
{
    /// <summary>Answered with 2xx.</summary>
    Delivered,

    /// <summary>To be tried again.</summary>
    Failed,

    /// <summary>Given up.</summary>
    Dead,
}

/// <summary>What is told of webhooks; docs/metrics.md explains each. Endpoints are configured, so they are few.</summary>
internal sealed class WebhookMetrics
{
    private readonly Counter _attempts = Metrics.CreateCounter("heartgrains_webhook_attempts_total", "Messages posted, by endpoint and what came of it.", "endpoint", "result");
    private readonly Gauge _pending = Metrics.CreateGauge("heartgrains_webhook_pending", "Targets whose state an endpoint is yet to be told.", "endpoint");
    private readonly Gauge _dead = Metrics.CreateGauge("heartgrains_webhook_dead", "Targets whose state could not be delivered.", "endpoint");

    /// <summary>Zeros from the start, so that the first failure is a rise.</summary>
    public void Announce(string endpoint)
    {
        foreach (var result in Enum.GetValues<WebhookResult>()) _attempts.WithLabels(endpoint, NameOf(result));
        Show(endpoint, 0, 0);
    }

    public void Count(string endpoint, WebhookResult result) => _attempts.WithLabels(endpoint, NameOf(result)).Inc();

    public void Show(string endpoint, long pending, long dead)
    {
        _pending.WithLabels(endpoint).Set(pending);
        _dead.WithLabels(endpoint).Set(dead);
    }

    /// <summary>Another silo tells from now on.</summary>
    public void Forget(string endpoint)
    {
        _pending.RemoveLabelled(endpoint);
        _dead.RemoveLabelled(endpoint);
    }

    private static string NameOf(WebhookResult result) => result switch
    {
        WebhookResult.Delivered => "delivered",
        WebhookResult.Failed => "failed",
        _ => "dead",
    };
}
