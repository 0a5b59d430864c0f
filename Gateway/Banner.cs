using System.Net;
using HeartGrains.Gateway.Grpc;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Pages;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway;

/// <summary>What a person sees when the gateway is ready: where things are, and one line to try. Nothing that stands between lines for a collector.</summary>
internal static class Banner
{
    public static void AnnounceOnStart(this WebApplication app)
    {
        var settings = app.Services.GetRequiredService<HostSettings>();
        if (settings.Logs == LogFormat.Json) return;
        app.Lifetime.ApplicationStarted.Register(() => Console.WriteLine(Text(app.Urls.First(), AdminPort.UrlOf(app.Urls, settings), settings, app.Services.ShowsPages(), app.Services.ShowsDocs(), app.Services.GetService<GrpcPort>()?.EndPoint)));
    }

    private static string Text(string url, string operators, HostSettings settings, bool showsPages, bool showsDocs, IPEndPoint? grpc)
    {
        var hearts = settings.Mode switch
        {
            HostMode.Dev => "in memory, gone when this stops",
            HostMode.Single => Path.GetFullPath(settings.Data),
            _ => "in the cluster's PostgreSQL",
        };
        var dashboard = settings.ShowsDashboard() ? $"{operators}/dashboard" : "off (--dashboard=true)";
        if (settings.Mode == HostMode.Cluster) dashboard = "on each silo's own port, when switched on there";
        var pages = showsPages ? $"{url}/   (a first heart)   {url}/demo   (a feed)" : "off (--HeartGrains:Pages:Enabled=true)";
        var docs = showsDocs ? $"{operators}{DocsHosting.Path}   (every call, to read and to try)" : "off (--HeartGrains:Docs:Enabled=true)";
        return $$"""

              ♥ HeartGrains ({{settings.Mode.ToString().ToLowerInvariant()}}) listens on {{url}}

                pages      {{pages}}
                hearts     {{hearts}}
                API        {{url}}/api/v1/hearts   (docs/http-api.md)
                docs       {{docs}}
                gRPC       {{(grpc is null ? "off (--grpc-port=5080)" : $"http://{grpc}   (docs/grpc.md)")}}
                health     {{url}}/health/ready
                metrics    {{operators}}/metrics
                dashboard  {{dashboard}}

                curl -X POST {{url}}/api/v1/hearts -H 'Content-Type: application/json' -d '{"target_id":"post_123","user_id":"u456"}'

            """;
    }
}
