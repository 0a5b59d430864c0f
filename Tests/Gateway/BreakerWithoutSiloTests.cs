using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using HeartGrains.Gateway;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Gateway.Sites;
using HeartGrains.Resilience;
using HeartGrains.Tests.Identity;
using HeartGrains.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Hosting;

namespace HeartGrains.Tests.Gateway;

/// <summary>The operator's hand on a gateway of a cluster none of whose silos is up.</summary>
public sealed class BreakerWithoutSiloTests : IAsyncLifetime
{
    private const string OperatorKey = "an operator's key of tests";

    private readonly HttpClient _client = new();
    private readonly LogLines _log = new();
    private WebApplication _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(_log);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddCommandLine(TestKeys.Switches(OperatorKey));
        builder.Services.AddHeartCalls().AddSites().AddIdentity().AddLocalLimits();
        builder.Services.AddBreakerHand();
        builder.AddClusterClient(client => client.UseLocalhostClustering(FreePort()));
        _gateway = builder.Build();
        _gateway.UseProblems();
        _gateway.UseIdentity();
        _gateway.MapBreakers();
        _ = _gateway.Services.GetRequiredService<GrainCalls>();
        await _gateway.StartAsync();
        _client.BaseAddress = new Uri(_gateway.Urls.First());
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _gateway.StopAsync();
        await _gateway.DisposeAsync();
    }

    [Fact]
    public async Task Get_Breakers_ShowsTheGatewaysOwnAndThatTheSilosAreNotKnown()
    {
        var shown = await _client.GetAsync("/api/v1/breakers").JsonAsync();
        shown.GetProperty("breakers").EnumerateArray().Select(breaker => breaker.GetProperty("name").GetString()).Order().ShouldBe(["hearts", "quota"]);
        shown.GetProperty("silos").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task Post_Ledger_IsRefusedBecauseNothingWasDone()
    {
        using var answer = await ForceAsync("ledger");
        var problem = await answer.ShouldBeProblemAsync(503, "unavailable");
        problem.GetProperty("detail").GetString()!.ShouldContain("nothing was done");
        answer.Headers.RetryAfter.ShouldNotBeNull();
    }

    [Fact]
    public async Task Post_Hearts_ReachesThisGateway()
    {
        using var answer = await ForceAsync("hearts");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.JsonAsync()).GetProperty("reaches").GetString().ShouldBe("this gateway");
        var shown = await _client.GetAsync("/api/v1/breakers").JsonAsync();
        shown.GetProperty("breakers").EnumerateArray().Single(breaker => breaker.GetProperty("name").GetString() == "hearts").GetProperty("state").GetString().ShouldBe("forced_open");

        // Where the log of events cannot be reached, this process's own log says by whom.
        _log.All.Single(line => line.Category.EndsWith("BreakerEndpoints", StringComparison.Ordinal)).Text.ShouldStartWith("The breaker hearts was told forced_open by key:operator because 'a drill'");
    }

    private async Task<HttpResponseMessage> ForceAsync(string name)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/breakers/" + name);
        request.Content = new StringContent("""{"state":"forced_open","for":"10m","reason":"a drill"}""", new MediaTypeHeaderValue("application/json"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", OperatorKey);
        return await _client.SendAsync(request);
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
