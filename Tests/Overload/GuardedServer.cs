using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.Problems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Tests.Overload;

/// <summary>The guard over real HTTP before calls that last until the test lets them go.</summary>
internal sealed class GuardedServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly SemaphoreSlim _entered = new(0);
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private GuardedServer(IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create($"{OverloadOptions.Section}:{nameof(OverloadOptions.Enabled)}", (string?)"true")]);
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Services.AddRequestDiagnostics();
        builder.Services.AddOverloadGuard();
        _app = builder.Build();
        _app.UseRequestDiagnostics();
        _app.UseProblems();
        _app.UseOverloadGuard();
        _app.MapGet("/api/wait", WaitAsync);
        _app.MapGet("/api/fail", static () => { throw new InvalidOperationException(); });
        _app.MapGet("/api/quick", static () => "quick");
        _app.MapPost("/api/quick", static () => "quick");
        _app.MapGet("/api/stream", static () => "stream").NeverRefused();
        _app.MapGet("/health", static () => "well");
    }

    public HttpClient Client { get; } = new();

    public AdmissionLane Reads => _app.Services.GetRequiredService<OverloadGuard>().LaneOf(new DefaultHttpContext { Request = { Method = "GET", Path = "/api" } }.Request);

    public static async Task<GuardedServer> StartAsync(params (string Key, string Value)[] settings)
    {
        var server = new GuardedServer(settings.Select(setting => KeyValuePair.Create($"{OverloadOptions.Section}:{setting.Key}", (string?)setting.Value)));
        await server._app.StartAsync();
        server.Client.BaseAddress = new Uri(server._app.Urls.Single());
        return server;
    }

    /// <summary>Returns when one more call is inside <c>/api/wait</c>.</summary>
    public Task EnteredAsync() => _entered.WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>Lets all calls go.</summary>
    public void Release() => _release.TrySetResult();

    /// <summary>Returns when no read is in flight; fails when that does not come.</summary>
    public async Task EmptyAsync()
    {
        for (var look = 0; look < 1_000 && Reads.InFlight != 0; look++) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        Reads.InFlight.ShouldBe(0);
    }

    public async ValueTask DisposeAsync()
    {
        Release();
        Client.Dispose();
        await _app.DisposeAsync();
        _entered.Dispose();
    }

    private async Task WaitAsync(HttpContext context)
    {
        _entered.Release();
        await _release.Task.WaitAsync(context.RequestAborted);
    }
}
