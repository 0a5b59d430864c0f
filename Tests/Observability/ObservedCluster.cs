using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using HeartGrains.Tests.Cluster;
using HeartGrains.Tests.Identity;
using HeartGrains.Tests.Infrastructure;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace HeartGrains.Tests.Observability;

/// <summary>A silo and a gateway that a Prometheus scrapes and whose traces are received.</summary>
public sealed class ObservedCluster : IAsyncLifetime
{
    private const string OperatorKey = "operator-key-of-a-test";

    private SiloAndGateway _cluster = null!;
    private OtlpReceiver _traces = null!;
    private readonly HttpClient _gateway = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly HttpClient _silo = new() { Timeout = TimeSpan.FromSeconds(10) };

    /// <summary>Scrapes both.</summary>
    public LocalPrometheus Prometheus { get; } = new(DeployedFiles.Alerts);

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _traces = await OtlpReceiver.StartAsync(HttpProtocols.Http2);
        _cluster = new SiloAndGateway(_traces.Url);
        await _cluster.InitializeAsync();
        _gateway.BaseAddress = _cluster.Gateways.Single();
        _silo.BaseAddress = (await _cluster.MembersAsync("silo")).Single().Url;
        Prometheus.Scrape("heartgrains-gateway", _gateway.BaseAddress);
        Prometheus.Scrape("heartgrains-silo", _silo.BaseAddress);
        await Prometheus.StartAsync();
        await UseAllAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Prometheus.DisposeAsync();
        _gateway.Dispose();
        _silo.Dispose();
        await _cluster.DisposeAsync();
        await _traces.DisposeAsync();
    }

    /// <summary>The spans of a trace that have come so far.</summary>
    internal IReadOnlyList<ReceivedSpan> SpansOf(string trace) => [.. _traces.Spans.Where(span => span.Trace == trace)];

    /// <summary>Gives a heart as part of a caller's trace; returns the status.</summary>
    public async Task<HttpStatusCode> GiveAsync(string traceParent)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/hearts")
        {
            Content = JsonContent.Create(new { target_id = "traced", user_id = Guid.NewGuid().ToString() }),
        };
        request.Headers.Add("traceparent", traceParent);
        using var answer = await _gateway.SendAsync(request);
        return answer.StatusCode;
    }

    /// <summary>What the gateway tells a scrape.</summary>
    public Task<string> GatewayMetricsAsync() => _gateway.GetStringAsync("/metrics");

    /// <summary>What the silo tells a scrape.</summary>
    public Task<string> SiloMetricsAsync() => _silo.GetStringAsync("/metrics");

    /// <summary>Gives a heart of somebody new; returns the status.</summary>
    public Task<HttpStatusCode> GiveAsync() => GiveAsync($"t{Random.Shared.Next(10)}", Guid.NewGuid().ToString());

    /// <summary>Gives a heart; returns the status.</summary>
    public async Task<HttpStatusCode> GiveAsync(string target, string user)
    {
        using var answer = await _gateway.PostAsJsonAsync("/api/v1/hearts", new { target_id = target, user_id = user });
        return answer.StatusCode;
    }

    /// <summary>Stops and starts a member, as <c>cluster.sh</c> does.</summary>
    public Task RunAsync(string command, string role) => _cluster.RunAsync(command, role, "1");

    /// <summary>Reads a target; returns the status.</summary>
    public async Task<HttpStatusCode> ReadAsync()
    {
        using var answer = await _gateway.GetAsync("/api/v1/hearts?target_id=t1");
        return answer.StatusCode;
    }

    /// <summary>An operator's hand on a breaker.</summary>
    public async Task ForceAsync(string breaker, object order)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/breakers/{breaker}") { Content = JsonContent.Create(order) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", OperatorKey);
        using var answer = await _gateway.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    /// <summary>So that metrics that appear with the first use have appeared: hearts, reads and a quota that is spent.</summary>
    private async Task UseAllAsync()
    {
        await LocalCluster.UntilAsync(async () => await GiveAsync() == HttpStatusCode.Created, TimeSpan.FromSeconds(30), "no heart was taken");
        for (var i = 0; i < 10; i++)
        {
            (await GiveAsync()).ShouldBe(HttpStatusCode.Created);
            (await ReadAsync()).ShouldBe(HttpStatusCode.OK);
        }

        for (var i = 0; i < 2; i++)
        {
            using var answer = await _gateway.PostAsJsonAsync("/api/v1/quota/acquire", new { user_id = "greedy", tokens = 40 });
            answer.StatusCode.ShouldBe(i == 0 ? HttpStatusCode.OK : HttpStatusCode.TooManyRequests);
        }
    }

    private sealed class SiloAndGateway(string collector)
        : LocalCluster(silos: 1, gateways: 1, [
            .. TestKeys.Settings(OperatorKey), "Overload:Enabled=true", $"Traces:Endpoint={collector}",

            // Nobody answers there.
            "Webhooks:AllowLoopback=true", "Webhooks:Endpoints:0:Name=crm", "Webhooks:Endpoints:0:Url=http://127.0.0.1:9/hook",
            "Webhooks:Endpoints:0:Secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ]);
}
