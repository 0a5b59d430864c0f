using HeartGrains.Gateway.Diagnostics;

namespace HeartGrains.Gateway.Embed;

/// <summary>Wires what sites embed into a host.</summary>
internal static class EmbedHosting
{
    // Pages that include it ask again after five minutes, and until then do not wait for us.
    private const string Newest = "public, max-age=300";

    public static IServiceCollection AddEmbed(this IServiceCollection services) => services.AddSingleton<EmbedScript>();

    public static IEndpointRouteBuilder MapEmbed(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var script = services.GetRequiredService<EmbedScript>();
        var times = services.GetRequiredService<GatewayMetrics>().TimesOf("button");
        MapScript(EmbedScript.NewestPath, Newest);
        MapScript(script.Path, WebFileRoutes.Immutable);
        return routes;

        void MapScript(string path, string cacheControl) => routes.MapMethods(path, [HttpMethods.Get, HttpMethods.Head], (RequestDelegate)(context =>
        {
            // Public code: a module of another origin is loaded with CORS, and a page may isolate itself from all that does not allow it.
            context.Response.Headers.AccessControlAllowOrigin = "*";
            context.Response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
            return script.File.SendAsync(context, cacheControl);
        })).WithMetadata(times).WithDisplayName("button");
    }
}
