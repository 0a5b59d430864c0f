using System.Collections.Concurrent;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Gateway;

/// <summary>What stands before the routes of a gateway, over real HTTP, with a clock that stands still.</summary>
internal sealed class LimitedServer : IAsyncDisposable
{
    public const string Api = "/api/v1/anything";

    private readonly WebApplication _app;

    private LimitedServer(WebApplication app, ErrorLog errors)
    {
        (_app, Errors) = (app, errors.Lines);
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public HttpClient Client { get; }

    public FakeTimeProvider Clock => (FakeTimeProvider)_app.Services.GetRequiredService<TimeProvider>();

    public ConcurrentQueue<string> Errors { get; }

    public static async Task<LimitedServer> StartAsync(params (string Key, string Value)[] settings)
    {
        var errors = new ErrorLog();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(settings.Select(Pair));
        SettingsCheck.Check(builder.Configuration, GatewayHosting.Features);
        builder.Logging.ClearProviders().AddProvider(errors);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<TimeProvider>(new FakeTimeProvider());
        builder.Services.AddRequestDiagnostics();
        builder.Services.AddLocalLimits();
        var app = builder.Build();
        app.UseTrustedProxies();
        app.UseRequestDiagnostics();
        app.UseProblems();
        app.UseLocalLimits();
        app.MapGet(Api, static (HttpContext context) => $"{context.Connection.RemoteIpAddress} {context.Request.Scheme}");
        app.MapGet("/health/live", static () => "healthy");
        await app.StartAsync();
        return new LimitedServer(app, errors);
    }

    /// <summary>Changes settings while the server runs.</summary>
    public void Change(params (string Key, string Value)[] settings)
    {
        foreach (var (key, value) in settings) _app.Configuration[Pair((key, value)).Key] = value;
        ((IConfigurationRoot)_app.Configuration).Reload();
    }

    public async Task<HttpResponseMessage> CallAsync(string? forwardedFor = null, string path = Api)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (forwardedFor is not null) request.Headers.Add("X-Forwarded-For", forwardedFor);
        return await Client.SendAsync(request);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static KeyValuePair<string, string?> Pair((string Key, string Value) setting) => new($"HeartGrains:{setting.Key}", setting.Value);

    private sealed class ErrorLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) Lines.Enqueue(formatter(state, exception));
        }

        public void Dispose() { }
    }
}
