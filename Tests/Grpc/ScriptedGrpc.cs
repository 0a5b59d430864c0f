using Grpc.Net.Client;
using HeartGrains.Gateway.Grpc;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Live;
using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Gateway.Sites;
using HeartGrains.Hosting;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using HeartsApi = HeartGrains.V1.Hearts;

namespace HeartGrains.Tests.Grpc;

/// <summary>The gRPC port, with grains, a quota and a readiness that do what a test says.</summary>
internal sealed class ScriptedGrpc : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ScriptedGrpc(WebApplication app, ScriptedGrains grains, LogLines log)
    {
        (_app, Grains, Log) = (app, grains, log);
        Channel = GrpcChannel.ForAddress(Url);
        Hearts = new HeartsApi.HeartsClient(Channel);
    }

    public ScriptedGrains Grains { get; }

    public LogLines Log { get; }

    public bool IsReady { get; set; } = true;

    public GrpcChannel Channel { get; }

    public HeartsApi.HeartsClient Hearts { get; }

    public string Url => $"http://{_app.Services.GetRequiredService<GrpcPort>().EndPoint}";

    public T Service<T>() where T : notnull => _app.Services.GetRequiredService<T>();

    public static async Task<ScriptedGrpc> StartAsync(params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var (grains, log) = (new ScriptedGrains(), new LogLines());
        builder.Logging.ClearProviders().AddProvider(log);
        builder.Configuration.AddInMemoryCollection(settings.Append(("Grpc:Port", "0")).Append(("Mode", "dev"))
            .Select(static setting => KeyValuePair.Create("HeartGrains:" + setting.Item1, (string?)setting.Item2)));
        builder.Services.AddSingleton(new HostSettings { Mode = HostMode.Dev });
        builder.Services.AddHeartCalls().AddSites().AddIdentity().AddLocalLimits().AddOverloadGuard().AddLive();
        builder.Services.AddSingleton(GrainFactoryProxy.Of(grains));
        builder.Services.AddSingleton(provider => UnseatedQuota.Over(provider, grains.Policy));
        builder.Services.AddSingleton<QuotaTaking>();
        ScriptedGrpc? server = null;
        builder.Services.AddHealthChecks().AddCheck("script", () => server?.IsReady is not false ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy(), [HealthEndpoints.Ready]);
        builder.AddGrpcPort();
        var app = builder.Build();
        app.UseGrpcPort();
        await app.StartAsync();
        return server = new ScriptedGrpc(app, grains, log);
    }

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
