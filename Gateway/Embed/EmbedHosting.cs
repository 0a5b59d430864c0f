using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Pages;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Sites;

namespace HeartGrains.Gateway.Embed;

/// <summary>Wires what sites embed into a host: the button's script, the form for where no script runs, the badge.</summary>
internal static class EmbedHosting
{
    // Pages that include it ask again after five minutes, and until then do not wait for us.
    private const string Newest = "public, max-age=300";

    private static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];
    private static readonly string[] Posting = [HttpMethods.Post];

    public static IServiceCollection AddEmbed(this IServiceCollection services) => services.AddSingleton<EmbedScript>();

    public static IEndpointRouteBuilder MapEmbed(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var metrics = services.GetRequiredService<GatewayMetrics>();
        var script = services.GetRequiredService<EmbedScript>();
        var form = ActivatorUtilities.CreateInstance<HeartForm>(services);
        var badge = ActivatorUtilities.CreateInstance<BadgeEndpoint>(services);

        Map(EmbedScript.NewestPath, Reading, context => SendAsync(context, script.File, Newest), "button");
        foreach (var (path, file) in script.Pinned) Map(path, Reading, context => SendAsync(context, file, WebFileRoutes.Immutable), "button");
        Map("/api/v1/hearts/form", Posting, form.PostAsync, "form").Describe(EmbedOperations.Form).WithMetadata(new ProblemPage(services.ShowsPages()));
        Map("/api/v1/badge.svg", Reading, badge.GetAsync, "badge").Describe(EmbedOperations.Badge).OpenToSites();
        return routes;

        IEndpointConventionBuilder Map(string pattern, string[] methods, RequestDelegate handler, string name) =>
            routes.MapMethods(pattern, methods, handler).WithMetadata(metrics.TimesOf(name)).WithDisplayName(name);
    }

    /// <summary>Public code: a module of another origin is loaded with CORS, and a page may isolate itself from all that does not allow it.</summary>
    private static Task SendAsync(HttpContext context, WebFile file, string cacheControl)
    {
        context.Response.Headers.AccessControlAllowOrigin = "*";
        context.Response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        return file.SendAsync(context, cacheControl);
    }
}
