using System.Security.Cryptography;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Operations;
using HeartGrains.Hosting;
using Microsoft.OpenApi;
using Scalar.AspNetCore;

namespace HeartGrains.Gateway.OpenApi;

/// <summary>Wires the API's description into a host: OpenAPI made of the endpoints that are mapped, and Scalar to read it and try it, from this gateway alone.</summary>
internal static class DocsHosting
{
    private const string Document = "v1";
    private const string DocumentPath = "/openapi/v1.json";

    /// <summary>Where people read it.</summary>
    public const string Path = "/docs";

    public static IServiceCollection AddDocs(this IServiceCollection services)
    {
        services.AddSingleton<ApiDocument>();
        return services.AddOpenApi(Document, static options =>
        {
            options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;

            // Endpoints say of themselves what the document says; nothing is guessed from signatures.
            options.ShouldInclude = static _ => false;
            options.AddDocumentTransformer(static (document, context, _) => context.ApplicationServices.GetRequiredService<ApiDocument>().WriteAsync(document));
        });
    }

    /// <summary>Whether it is served.</summary>
    public static bool ShowsDocs(this IServiceProvider services) =>
        services.GetRequiredService<IConfiguration>().Read<DocsOptions>($"{HostSettings.Section}:{DocsOptions.Name}").Enabled
        ?? services.GetRequiredService<HostSettings>().OperatorsAreOnLoopback();

    public static void MapDocs(this WebApplication app)
    {
        if (!app.Services.ShowsDocs()) return;
        var times = app.Services.GetRequiredService<GatewayMetrics>().TimesOf("docs");
        app.MapOpenApi("/openapi/{documentName}.json").WithMetadata(times).WithOperatorsOnly();
        app.MapScalarApiReference(Path, Configure).WithMetadata(times).WithOperatorsOnly();
    }

    /// <summary>Nothing of it comes from elsewhere or goes there; the policy of the page sees to it.</summary>
    private static void Configure(ScalarOptions options, HttpContext context)
    {
        var nonce = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        options.Title = "HeartGrains: the API";
        options.OpenApiRoutePattern = DocumentPath;
        options.Nonce = nonce;
        options.DefaultFonts = false;
        options.Telemetry = false;
        options.HideClientButton = true;

        // From the operators' port a browser does not reach the calls on the other, which are most.
        options.HideTestRequestButton = context.RequestServices.GetRequiredService<HostSettings>().Admin.Port is not null;
        options.ShowDeveloperTools = DeveloperToolsVisibility.Never;
        options.Agent = new ScalarAgentOptions { Disabled = true };
        options.Mcp = new ScalarMcpOptions { Disabled = true };
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";

        // The page's own script styles what it draws.
        headers.ContentSecurityPolicy =
            $"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src blob:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
    }
}
