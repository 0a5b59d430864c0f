using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Sites;
using HeartGrains.Hosting;
using HeartGrains.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Tests.Gateway;

/// <summary>A gateway as <c>--mode=dev --settings=FILE</c> runs it, over real HTTP, with policies of the test's choice.</summary>
internal sealed class QuotaServer : IAsyncDisposable
{
    public const string Acquire = "/api/v1/quota/acquire";

    private readonly WebApplication _app;
    private readonly DirectoryInfo _folder;
    private readonly List<HttpClient> _clients = [];

    private QuotaServer(WebApplication app, DirectoryInfo folder, LogLines log)
    {
        (_app, _folder, Log) = (app, folder, log.Lines);
        Client = From(IPAddress.Loopback);
    }

    /// <summary>A client on 127.0.0.1.</summary>
    public HttpClient Client { get; }

    /// <summary>What the gateway logged, from information up.</summary>
    public ConcurrentQueue<string> Log { get; }

    public IGrainFactory Grains => _app.Services.GetRequiredService<IGrainFactory>();

    /// <summary>Starts a gateway whose file holds these policies, as JSON objects with commas between them.</summary>
    public static async Task<QuotaServer> StartAsync(string policies, params string[] switches)
    {
        var folder = Directory.CreateTempSubdirectory("heartgrains-quota-");
        await File.WriteAllTextAsync(FileIn(folder), Settings(policies));
        var builder = ServiceHost.CreateBuilder(
            ["--mode=dev", "--port=0", $"--settings={FileIn(folder)}", .. SharedMachine.Switches, .. switches], defaultPort: 0, GatewayHosting.Features);
        var log = new LogLines();
        builder.Logging.ClearProviders().AddProvider(log);
        builder.AddGrainCalls();
        builder.AddGateway();
        var app = builder.Build();
        app.UseRequestDiagnostics();
        app.UseProblems();
        app.UseSites();
        app.UseIdentity();
        app.MapHearts();
        app.MapQuota();
        app.MapOperations();
        await app.StartAsync();
        return new QuotaServer(app, folder, log);
    }

    /// <summary>Rewrites the file, with these policies or, to break it, with anything else.</summary>
    public void Write(string policies) => WriteFile(Settings(policies));

    /// <inheritdoc cref="Write"/>
    public void WriteFile(string text) => File.WriteAllText(FileIn(_folder), text);

    /// <summary>A client that calls from an address of this machine.</summary>
    public HttpClient From(IPAddress address)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                socket.Bind(new IPEndPoint(address, 0));
                await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        var client = new HttpClient(handler) { BaseAddress = new Uri(_app.Urls.First()) };
        _clients.Add(client);
        return client;
    }

    /// <summary>How many decisions of a policy came about in this way.</summary>
    public async Task<long> DecisionsAsync(string policy, string decision)
    {
        var name = $"heartgrains_quota_decisions_total{{policy=\"{policy}\",decision=\"{decision}\"}} ";
        var line = (await Client.GetStringAsync("/metrics")).Split('\n').SingleOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return line is null ? 0 : long.Parse(line[name.Length..], CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static string FileIn(DirectoryInfo folder) => Path.Combine(folder.FullName, "settings.json");

    private static string Settings(string policies) => $$"""{ "HeartGrains": { "RateLimits": { "Policies": [ {{policies}} ] } } }""";

    private sealed class LogLines : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) Lines.Enqueue(formatter(state, exception));
        }

        public void Dispose() { }
    }
}

/// <summary>Calls of the quota's own routes.</summary>
internal static class QuotaClient
{
    public static Task<HttpResponseMessage> AcquireAsync(this HttpClient client, string user, long tokens, string? campaign = null) =>
        client.PostJsonAsync(QuotaServer.Acquire, campaign is null
            ? JsonSerializer.Serialize(new { user_id = user, tokens })
            : JsonSerializer.Serialize(new { user_id = user, tokens, campaign_id = campaign }));

    /// <summary>How a user stands with each policy, by its name.</summary>
    public static async Task<Dictionary<string, JsonElement>> StandingsAsync(this HttpClient client, string user, string more = "")
    {
        var answer = await client.GetAsync($"/api/v1/quota?user_id={Uri.EscapeDataString(user)}{more}").JsonAsync();
        answer.GetProperty("user_id").GetString().ShouldBe(user);
        return answer.GetProperty("policies").EnumerateArray().ToDictionary(policy => policy.GetProperty("name").GetString()!);
    }

    public static async Task<long> RemainingAsync(this HttpClient client, string user, string policy) =>
        (await client.StandingsAsync(user))[policy].GetProperty("remaining").GetInt64();

    public static string Header(this HttpResponseMessage response, string name) => string.Join(", ", response.Headers.GetValues(name));
}
