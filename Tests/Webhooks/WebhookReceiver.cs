using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Tests.Webhooks;

/// <summary>A message as it arrived.</summary>
internal sealed record Received(string Id, long Timestamp, string Signature, string Body, long ArrivedAt);

/// <summary>A real HTTP server that receives webhooks and answers as it is told.</summary>
internal sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    public WebhookReceiver(int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        _app = builder.Build();
        _app.MapPost("/hook", async (HttpContext context) =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var headers = context.Request.Headers;
            var received = new Received(
                headers["webhook-id"].ToString(), long.Parse(headers["webhook-timestamp"].ToString()), headers["webhook-signature"].ToString(), await reader.ReadToEndAsync(),
                System.Diagnostics.Stopwatch.GetTimestamp());
            Messages.Enqueue(received);
            await Answer(context, received);
        });
        _app.MapPost("/elsewhere", (HttpContext context) =>
        {
            WasRedirected = true;
            context.Response.StatusCode = 200;
        });
    }

    public ConcurrentQueue<Received> Messages { get; } = new();

    public bool WasRedirected { get; private set; }

    public Func<HttpContext, Received, Task> Answer { get; set; } = (context, _) =>
    {
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    };

    public string Url => _app.Urls.First() + "/hook";

    public static async Task<WebhookReceiver> StartAsync()
    {
        var receiver = new WebhookReceiver();
        await receiver._app.StartAsync();
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
