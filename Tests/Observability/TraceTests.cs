using HeartGrains.Diagnostics;
using HeartGrains.Hosting;
using HeartGrains.Tests.Cluster;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Identity;
using HeartGrains.Tests.Infrastructure;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace HeartGrains.Tests.Observability;

/// <summary>Which requests are traced; a whole trace is looked at in <see cref="ObservedClusterTests"/>.</summary>
[Collection(nameof(AloneCollection))]
public sealed class TraceTests
{
    private const string OperatorKey = "an operator's key of tests";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Requests_ManyInABatch_EachReachTheLedgerAndShareItsCommit()
    {
        const int Hearts = 20;
        await using var collector = await OtlpReceiver.StartAsync(HttpProtocols.Http1);
        await using var server = await StartAsync(collector);

        await Task.WhenAll(Enumerable.Range(0, Hearts).Select(async user => (await server.Client.GiveAsync("traced", $"user-{user}")).Dispose()));

        await LocalCluster.UntilAsync(() => Task.FromResult(collector.Spans.Count(static span => span.Name == "ledger append") == Hearts), Patience, "spans are missing");
        await LocalCluster.UntilAsync(() => Task.FromResult(Committed(collector).Count == Hearts), Patience, "commits are missing");
        var appends = collector.Spans.Where(static span => span.Name == "ledger append").ToList();
        appends.Select(static span => span.Trace).ShouldBeUnique();
        Committed(collector).ShouldBe(appends.Select(static span => span.Id), ignoreOrder: true);
    }

    [Theory]
    [InlineData("--HeartGrains:Traces:Ratio=0", null, 0)]
    [InlineData("--HeartGrains:Traces:Ratio=0", "01", 5)]
    [InlineData("--HeartGrains:Traces:Ratio=1", "00", 0)]
    [InlineData("--HeartGrains:Traces:Ratio=1", null, 5)]
    [InlineData("--HeartGrains:Traces:PerSecond=1", "01", 1)]
    public async Task Requests_AreTracedAsConfiguredAndAsTheirCallersSay(string setting, string? flags, int expected)
    {
        await using var collector = await OtlpReceiver.StartAsync(HttpProtocols.Http1);
        await using (var server = await StartAsync(collector, setting))
        {
            var started = TimeProvider.System.GetTimestamp();
            for (var i = 0; i < 5; i++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/hearts?target_id=t");
                if (flags is not null) request.Headers.Add("traceparent", $"00-{Guid.NewGuid():N}-00f067aa0ba902b7-{flags}");
                (await server.Client.SendAsync(request)).Dispose();
            }

            // A slow machine may need more than the one second that the last case counts on.
            expected += expected == 1 ? (int)TimeProvider.System.GetElapsedTime(started).TotalSeconds : 0;
        }

        // What was recorded is sent when the server stops.
        collector.Spans.Count(static span => span.Name.StartsWith("GET ", StringComparison.Ordinal)).ShouldBeInRange(Math.Min(expected, 1), expected);
        if (expected == 5) collector.Spans.Count(static span => span.Name.StartsWith("GET ", StringComparison.Ordinal)).ShouldBe(5);
    }

    /// <summary>Hearts and reads, a quota that its grain is asked for, and a ledger that is not asked.</summary>
    [Fact]
    public async Task Spans_OfAnyCall_NameNoUserAndNoTarget()
    {
        await using var collector = await OtlpReceiver.StartAsync(HttpProtocols.Http1);
        await using (var server = await StartAsync(collector, TestKeys.Switches(OperatorKey)))
        {
            (await server.Client.GiveAsync("secret-target", "secret-user")).Dispose();
            (await server.Client.ReadAsync("secret-target", "secret-user")).Dispose();
            (await server.Client.PostJsonAsync("/api/v1/quota/acquire", """{"user_id":"secret-user","target_id":"secret-target","tokens":40}""")).Dispose();
            (await server.Client.GetAsync("/api/v1/quota?user_id=secret-user")).Dispose();
            await server.ForceOpenAsync("ledger", OperatorKey);
            (await server.Client.GiveAsync("secret-target-2", "secret-user")).Dispose();
        }

        foreach (var name in (string[])["IHeartGrain/GiveAsync", "IHeartGrain/ReadAsync", "IRateLimitGrain/ReadAsync"])
            collector.Spans.Select(static span => span.Name).ShouldContain(name);
        collector.Spans.Where(static span => span.Whole.Contains("secret", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData("ftp://127.0.0.1:4317")]
    [InlineData("http://me:secret@x@127.0.0.1:4317")]
    public void AddTraces_NotAnAddress_NamesTheSetting(string endpoint)
    {
        var builder = ServiceHost.CreateBuilder(["--mode=dev", "--port=0", $"--HeartGrains:Traces:Endpoint={endpoint}"], defaultPort: 0, GrainHosting.Features);

        var message = Should.Throw<StartException>(builder.AddTraces).Message;

        message.ShouldContain("HeartGrains:Traces:Endpoint, HEARTGRAINS__TRACES__ENDPOINT, --HeartGrains:Traces:Endpoint");
        message.ShouldNotContain("secret");
    }

    private static List<string> Committed(OtlpReceiver collector) =>
        [.. collector.Spans.Where(static span => span.Name == "ledger commit").SelectMany(static span => span.Links.Append(span.Parent))];

    private static async Task<GatewayServer> StartAsync(OtlpReceiver collector, params string[] settings)
    {
        var server = new GatewayServer(["--HeartGrains:Traces:Protocol=http", $"--HeartGrains:Traces:Endpoint={collector.Url}", .. settings]);
        await server.InitializeAsync();
        return server;
    }
}
