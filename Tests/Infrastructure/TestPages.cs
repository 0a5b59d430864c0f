using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Tests.Infrastructure;

/// <summary>Pages that a test makes up and a server serves.</summary>
internal sealed class TestPages
{
    private readonly ConcurrentDictionary<string, (string Html, string? Policy)> _pages = new();
    private readonly ConcurrentDictionary<string, byte[]> _files = new();

    /// <summary>Adds a page, and returns its path.</summary>
    /// <param name="body">What it shows; <c>{page}</c> in it becomes the page's own address.</param>
    /// <param name="head">What stands in its head besides the title.</param>
    /// <param name="policy">Its Content-Security-Policy.</param>
    public string Add(string body, string head = "", string? policy = null)
    {
        var name = Guid.NewGuid().ToString("N");
        var html = $"<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>A page</title>{head}</head><body><main><h1>A page</h1>{body}</main></body></html>";
        _pages[name] = (html, policy);
        return "/test-pages/" + name;
    }

    /// <summary>Adds a file of a package, and returns its path.</summary>
    public string Add(NpmPackage package, string file)
    {
        var path = $"/test-files/{package.Name}/{file}";
        _files[path] = package.Read(file);
        return path;
    }

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/test-pages/{name}", (HttpContext context, string name) =>
        {
            if (!_pages.TryGetValue(name, out var page)) return Results.NotFound();
            if (page.Policy is { } policy) context.Response.Headers.ContentSecurityPolicy = policy;
            return Results.Content(page.Html.Replace("{page}", context.Request.GetDisplayUrl(), StringComparison.Ordinal), "text/html; charset=utf-8");
        });
        routes.MapGet("/test-files/{**path}", (HttpContext context) =>
            _files.TryGetValue(context.Request.Path.Value!, out var file)
                ? Results.Bytes(file, context.Request.Path.Value!.EndsWith(".css", StringComparison.Ordinal) ? "text/css" : "text/javascript")
                : Results.NotFound());
    }
}

/// <summary>Somebody else's site: <c>http://site.test</c> in <see cref="LocalBrowser"/>, on a port of its own.</summary>
internal sealed class TestSite : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestSite(WebApplication app, TestPages pages) => (_app, Pages) = (app, pages);

    public TestPages Pages { get; }

    /// <summary>Its origin, under a name of the test's choice.</summary>
    public Uri At(string host) => new UriBuilder(_app.Urls.First()) { Host = host }.Uri;

    public static async Task<TestSite> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var pages = new TestPages();
        pages.Map(app);
        await app.StartAsync();
        return new TestSite(app, pages);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
