using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Tests.Sites;

/// <summary>
/// What stands before gateways in production: ends TLS and forwards <c>hearts.test</c> to a gateway, over plain HTTP and with <c>X-Forwarded-Proto</c>. Every other name under
/// <c>.test</c> is a site with an empty page; so is every name over plain HTTP.
/// </summary>
public sealed class TlsFront : IAsyncDisposable
{
    public const string Hearts = "hearts.test";
    private readonly WebApplication _app;
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });
    private readonly X509Certificate2 _certificate = Certificate();

    private TlsFront(Uri gateway)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(_certificate));
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        _app = builder.Build();
        _app.Run(context => context.Request.Host.Host == Hearts ? ForwardAsync(context, gateway) : PageAsync(context));
    }

    public int TlsPort { get; private set; }

    public int PlainPort { get; private set; }

    public static async Task<TlsFront> StartAsync(Uri gateway)
    {
        var front = new TlsFront(gateway);
        await front._app.StartAsync();
        var addresses = front._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        front.TlsPort = new Uri(addresses.Single(address => address.StartsWith("https:", StringComparison.Ordinal))).Port;
        front.PlainPort = new Uri(addresses.Single(address => address.StartsWith("http:", StringComparison.Ordinal))).Port;
        return front;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _client.Dispose();
        _certificate.Dispose();
    }

    private static Task PageAsync(HttpContext context)
    {
        context.Response.ContentType = "text/html";
        return context.Response.WriteAsync("<!doctype html><title>A site</title>");
    }

    private async Task ForwardAsync(HttpContext context, Uri gateway)
    {
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), new Uri(gateway, context.Request.Path + context.Request.QueryString));
        if (context.Request.ContentLength > 0) request.Content = new StreamContent(context.Request.Body);
        foreach (var (name, values) in context.Request.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values)) request.Content?.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }

        request.Headers.Add("X-Forwarded-Proto", context.Request.Scheme);
        request.Headers.Add("X-Forwarded-For", "198.51.100.7");
        using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers)) context.Response.Headers[name] = values.ToArray();
        context.Response.Headers.Remove("Transfer-Encoding");
        await answer.Content.CopyToAsync(context.Response.Body);
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=*.test", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
