using HeartGrains.Gateway.Identity;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Net.Http.Headers;

namespace HeartGrains.Gateway.Sites;

/// <summary>Wires the sites into a host: cross-origin calls (the Fetch standard's CORS) are answered for them, and for nobody else.</summary>
internal static class SitesHosting
{
    private const string Policy = "sites";
    private static readonly TimeSpan PreflightAge = TimeSpan.FromMinutes(10);

    public static IServiceCollection AddSites(this IServiceCollection services)
    {
        services.AddSingleton<SiteList>();
        services.AddCors();
        services.AddOptions<CorsOptions>().Configure<SiteList>(static (cors, sites) =>
        {
            cors.AddPolicy(Policy, policy => policy
                .SetIsOriginAllowed(origin => sites.EntryOf(origin) is not null)
                .AllowCredentials()
                .WithMethods(HttpMethods.Get, HttpMethods.Head, HttpMethods.Post, HttpMethods.Delete)
                .WithHeaders(HeaderNames.Authorization, HeaderNames.ContentType, HeaderNames.IfNoneMatch, Readers.Header)
                .WithExposedHeaders(HeaderNames.ETag, HeaderNames.RetryAfter, HeaderNames.WWWAuthenticate, HeaderNames.Age, "RateLimit", "RateLimit-Policy", "X-Request-Id", Readers.Header)
                .SetPreflightMaxAge(PreflightAge));
        });
        return services;
    }

    /// <summary>Goes before what refuses, so that a page can read why.</summary>
    public static IApplicationBuilder UseSites(this IApplicationBuilder app)
    {
        // Asked for now, so that a wrong setting stops the start.
        app.ApplicationServices.GetRequiredService<SiteList>();
        return app.UseCors();
    }

    /// <summary>Opens an endpoint to the pages of configured sites, with their readers' cookies.</summary>
    public static TBuilder OpenToSites<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder => endpoint.RequireCors(Policy);
}
