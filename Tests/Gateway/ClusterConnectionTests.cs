using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Gateway.Sites;
using HeartGrains.Hosting;
using HeartGrains.Tests.RateLimiting;
using HeartGrains.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Orleans.Hosting;

namespace HeartGrains.Tests.Gateway;

/// <summary>A gateway and a silo apart, talking over loopback.</summary>
public sealed class ClusterConnectionTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Gateway_WithoutSilo_StartsAnswers503AndRecoversEachTimeOneIsBack()
    {
        var (siloPort, clientPort) = (FreePort(), FreePort());
        await using var gateway = Gateway(clientPort);
        await gateway.StartAsync().WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
        using var client = new HttpClient { BaseAddress = new Uri(gateway.Urls.First()) };

        // The first answer also pays for compiling the code that makes it.
        await UntilAsync(client, HttpStatusCode.ServiceUnavailable);
        await ShouldBeUnavailableAtOnceAsync(client);

        for (var life = 0; life < 2; life++)
        {
            await using (var silo = Silo(siloPort, clientPort))
            {
                await silo.StartAsync();
                await UntilAsync(client, HttpStatusCode.Created);
                await silo.StopAsync();
            }

            await UntilAsync(client, HttpStatusCode.ServiceUnavailable);
            await ShouldBeUnavailableAtOnceAsync(client);
        }

        await gateway.StopAsync().WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
    }

    [Fact]
    public async Task Gateway_StoppedBeforeAnySiloCame_StopsPromptly()
    {
        await using var gateway = Gateway(FreePort());
        await gateway.StartAsync().WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
        await gateway.StopAsync().WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
    }

    private static async Task ShouldBeUnavailableAtOnceAsync(HttpClient client)
    {
        foreach (var send in (Func<Task<HttpResponseMessage>>[])[() => client.GiveAsync("t", "u"), () => client.ReadAsync("t")])
        {
            var start = Stopwatch.GetTimestamp();
            var response = await send();
            Stopwatch.GetElapsedTime(start).ShouldBeLessThan(TimeSpan.FromSeconds(1));
            await response.ShouldBeProblemAsync(503, "unavailable");
            response.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeGreaterThanOrEqualTo(1);
        }
    }

    private static async Task UntilAsync(HttpClient client, HttpStatusCode status)
    {
        using var giveUp = new CancellationTokenSource(Patience);
        while ((await client.GiveAsync(HeartClient.Fresh("t"), HeartClient.Fresh("u"))).StatusCode != status)
        {
            giveUp.IsCancellationRequested.ShouldBeFalse($"No {status} came.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    private static WebApplication Gateway(int clientPort)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddHeartCalls().AddSites().AddIdentity();
        builder.AddClusterClient(client =>
        {
            client.UseLocalhostClustering(clientPort);
            client.Configure<ClientMessagingOptions>(options => options.ResponseTimeout = TimeSpan.FromSeconds(3));
        });
        builder.Services.AddSingleton(static provider => UnseatedQuota.Over(provider, Policies.User with { HeartCost = 0 }));
        var app = builder.Build();
        app.UseProblems();
        app.UseSites();
        app.MapHearts();
        return app;
    }

    private static WebApplication Silo(int siloPort, int clientPort)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddHeartGrains(new HostSettings { Mode = HostMode.Dev }, builder.Configuration);
        builder.UseOrleans(silo =>
        {
            silo.UseLocalhostClustering(siloPort, clientPort);
            silo.AddProcessGrainStorage(HeartGrains.RateLimiting.RateLimitHosting.StorageName);
        });
        return builder.Build();
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
