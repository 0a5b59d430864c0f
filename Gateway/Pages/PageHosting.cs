using HeartGrains.Gateway.Applause;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Embed;
using HeartGrains.Gateway.OpenHeart;
using HeartGrains.Hosting;
using Microsoft.Net.Http.Headers;

namespace HeartGrains.Gateway.Pages;

/// <summary>The pages for people: <c>/</c>, where a first heart is given, and <c>/demo</c>.</summary>
internal static class PageHosting
{
    /// <summary>Nothing from elsewhere, nothing inline: what a page shows and runs is in files of this gateway.</summary>
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Whether people find pages here.</summary>
    public static bool ShowsPages(this IServiceProvider services) =>
        services.GetRequiredService<IConfiguration>().Read<PageOptions>($"{HostSettings.Section}:{PageOptions.Name}").Enabled;

    /// <summary>Maps the pages and what they load, unless they are switched off.</summary>
    public static IEndpointRouteBuilder MapPages(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        if (!services.ShowsPages()) return routes;
        var times = services.GetRequiredService<GatewayMetrics>().TimesOf("page");
        var facts = Facts(services);
        Map(new Page("home.html", "/", facts));
        Map(new Page("demo.html", "/demo", facts));
        foreach (var asset in PageAsset.All) routes.MapWebFile(asset.Path, asset.File, WebFileRoutes.Immutable).WithMetadata(times);
        return routes;

        void Map(Page page) => routes.MapMethods(page.Path, Reading, context => WriteAsync(context, page)).WithMetadata(times);
    }

    private static Dictionary<string, string> Facts(IServiceProvider services)
    {
        var settings = services.GetRequiredService<HostSettings>();
        var script = services.GetRequiredService<EmbedScript>();
        var configuration = services.GetRequiredService<IConfiguration>();
        var facts = new Dictionary<string, string>
        {
            ["mode"] = settings.Mode.ToString().ToLowerInvariant(),
            ["button"] = script.Path,
            ["integrity"] = script.Integrity,

            // Whoever reads a page does not reach the operators' port.
            ["metrics"] = settings.Admin.Port is null ? "/metrics" : "",
            ["dashboard"] = settings.Admin.Port is null && settings.ShowsDashboard() ? "/dashboard" : "",
        };
        if (!configuration.Read<OpenHeartOptions>(OpenHeartOptions.SectionName).Enabled) facts["open"] = OpenHeartOptions.SectionName + ":Enabled";
        if (!configuration.Read<ApplauseOptions>(ApplauseOptions.SectionName).Enabled) facts["applause"] = ApplauseOptions.SectionName + ":Enabled";
        return facts;
    }

    private static Task WriteAsync(HttpContext context, Page page)
    {
        var language = PageLanguages.Of(context.Request);
        var headers = context.Response.Headers;
        headers.ContentLanguage = language.Tag;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers["Referrer-Policy"] = "same-origin";
        headers.Vary = HeaderNames.AcceptLanguage;
        headers.CacheControl = "no-cache";
        headers.XContentTypeOptions = "nosniff";
        var body = page.Render(language, $"{context.Request.Scheme}://{context.Request.Host.Value}");
        var response = context.Response;
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body).AsTask();
    }
}
