using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using HeartGrains.Diagnostics;
using HeartGrains.Gateway;
using HeartGrains.Hosting;
using HeartGrains.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Tests.Gateway;

/// <summary>
/// The gateway as <c>--mode=dev</c> runs it: real Kestrel on a free port, real grains, hearts in memory. Without the dashboard, which packs all of its files anew at each start.
/// </summary>
public sealed class GatewayServer : IAsyncLifetime
{
    private readonly string[] _settings;
    private WebApplication _app = null!;

    public GatewayServer() : this([]) { }

    internal GatewayServer(params string[] settings) => _settings = settings;

    // Without a jar: what one test got must not make another somebody.
    public HttpClient Client { get; } = new(new SocketsHttpHandler { UseCookies = false });

    /// <summary>What it logged as a warning or worse.</summary>
    internal LogLines Log { get; } = new();

    /// <summary>Pages of tests, on the gateway's own origin.</summary>
    internal TestPages Pages { get; } = new();

    /// <summary>Changes its services, if set.</summary>
    internal Action<IServiceCollection>? Configure { get; init; }

    public Uri Url { get; private set; } = null!;

    /// <summary>The operators' port, if the settings open one.</summary>
    internal Uri AdminUrl => new(_app.Urls.ElementAt(1));

    public async ValueTask InitializeAsync()
    {
        var builder = ServiceHost.CreateBuilder(["--mode=dev", "--port=0", "--dashboard=false", .. SharedMachine.Switches, .. _settings], defaultPort: 0, GatewayHosting.Features);
        builder.Logging.ClearProviders();
        builder.Logging.AddProvider(Log);
        builder.AddGrainCalls();
        builder.AddGateway();
        builder.AddTraces();
        builder.Services.ShareMachine();
        Configure?.Invoke(builder.Services);
        _app = builder.Build();
        _app.UseGateway();
        Pages.Map(_app);
        _app.MapGet("/broken", static () => { throw new InvalidOperationException("secret"); });
        await _app.StartAsync();
        Url = new Uri(_app.Urls.First());
        Client.BaseAddress = Url;
    }

    internal IServiceProvider Services => _app.Services;

    /// <summary>Stops as on SIGTERM.</summary>
    internal Task StopAsync() => _app.StopAsync();

    /// <summary>An operator's hand; the key is set by the settings.</summary>
    internal async Task ForceOpenAsync(string breaker, string operatorKey)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/breakers/{breaker}");
        request.Content = new StringContent("""{"state":"forced_open","for":"10m","reason":"a test"}""", Encoding.UTF8, "application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", operatorKey);
        using var answer = await Client.SendAsync(request);
        answer.StatusCode.ShouldBe(System.Net.HttpStatusCode.OK);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}

[CollectionDefinition(Name)]
public sealed class GatewayCollection : ICollectionFixture<GatewayServer>
{
    public const string Name = "gateway";
}

/// <summary>The API as a client calls it.</summary>
internal static class HeartClient
{
    public const string Hearts = "/api/v1/hearts";

    public static string Fresh(string prefix) => prefix + Guid.NewGuid().ToString("N");

    public static Task<HttpResponseMessage> GiveAsync(this HttpClient client, string target, string user) =>
        client.PostJsonAsync(Hearts, JsonSerializer.Serialize(new { target_id = target, user_id = user }));

    public static Task<HttpResponseMessage> WithdrawAsync(this HttpClient client, string target, string user) =>
        client.DeleteAsync($"{Hearts}?target_id={Uri.EscapeDataString(target)}&user_id={Uri.EscapeDataString(user)}");

    public static Task<HttpResponseMessage> ReadAsync(this HttpClient client, string target, string? user = null) =>
        client.GetAsync($"{Hearts}?target_id={Uri.EscapeDataString(target)}" + (user is null ? "" : $"&user_id={Uri.EscapeDataString(user)}"));

    public static Task<HttpResponseMessage> PostJsonAsync(this HttpClient client, string path, string body) =>
        client.PostBytesAsync(path, Encoding.UTF8.GetBytes(body));

    public static async Task<HttpResponseMessage> PostBytesAsync(
        this HttpClient client, string path, byte[] body, string? contentType = "application/json")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Content = new ByteArrayContent(body);
        if (contentType is not null) request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return await client.SendAsync(request);
    }

    public static async Task<JsonElement> JsonAsync(this Task<HttpResponseMessage> pending)
    {
        using var response = await pending;
        return await response.JsonAsync();
    }

    public static async Task<JsonElement> JsonAsync(this HttpResponseMessage response) =>
        JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsStringAsync());

    /// <summary>Checks that the answer is a whole problem document, and returns it.</summary>
    public static async Task<JsonElement> ShouldBeProblemAsync(this HttpResponseMessage response, int status, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).ShouldBe(status, text);
        response.Content.Headers.ContentType.ShouldBe(new MediaTypeHeaderValue("application/problem+json"), text);
        var problem = JsonSerializer.Deserialize<JsonElement>(text);
        problem.GetProperty("status").GetInt32().ShouldBe(status);
        problem.GetProperty("code").GetString().ShouldBe(code);
        problem.GetProperty("type").GetString().ShouldBe("https://heartgrains.dev/problems#" + code);
        problem.GetProperty("title").GetString().ShouldNotBeNullOrEmpty();
        problem.GetProperty("detail").GetString().ShouldNotBeNullOrEmpty();
        text.ShouldNotContain("   at ");
        text.ShouldNotContain("Exception");
        return problem;
    }
}
