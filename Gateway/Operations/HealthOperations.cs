using HeartGrains.Gateway.OpenApi;

namespace HeartGrains.Gateway.Operations;

/// <summary>Health and metrics as the API's document describes them.</summary>
internal static class HealthOperations
{
    private const string Group = "Operations";

    private static readonly Shape Health = Shape.Object(
        "Health", "How a process is.", ("status", Shape.OneOf("Of the worst check.", "healthy", "degraded", "unhealthy")), ("checks", Shape.Map("Each check by name.", Shape.Text("What it says."))));

    /// <summary>Of a path that <see cref="Hosting.HealthEndpoints"/> maps.</summary>
    public static Operation Of(string path) => path switch
    {
        "/health/live" => Checked("readLiveness", "Whether the process answers", "Asks nobody else, so that a restart is right when no answer comes.", canFail: false),
        "/health/ready" => Checked("readReadiness", "Whether the process can serve", "What a load balancer asks."),
        "/health" => Checked("readHealth", "Whether the process can serve", "The same as `/health/ready`."),
        _ => new("readMetrics", Group, "Metrics", "For Prometheus; docs/metrics.md explains each.")
        {
            Method = HttpMethod.Get,
            Answers = [new(200, "All metrics.", Payload.Of("text/plain", Shape.Text("In the Prometheus text format."), "heartgrains_cluster_connected 1\n"))],
        },
    };

    private static Operation Checked(string id, string summary, string description, bool canFail = true) => new(id, Group, summary, description)
    {
        Method = HttpMethod.Get,
        Answers =
        [
            new(200, "It can.", Payload.Json(Health, """{"status":"healthy","checks":{"cluster":"connected"}}"""), Caching),
            .. canFail ? [new Answer(503, "It cannot.", Payload.Json(Health, """{"status":"unhealthy","checks":{"cluster":"no silo can be reached"}}"""), Caching)] : Array.Empty<Answer>(),
        ],
    };

    private static readonly Header[] Caching =
    [
        Header.CacheControl("no-store, no-cache"), new("Pragma", "The same for caches of old.", "no-cache"), new("Expires", "The same for caches of old.", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ];
}
