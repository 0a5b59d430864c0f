using System.Net;
using System.Net.Sockets;
using System.Text;
using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.Overload;

/// <summary>The whole gateway with limits so small that the second call meets them.</summary>
public sealed class OverloadedGatewayTests
{
    [Fact]
    public async Task Give_OverTheRate_IsRefusedAndStoresNothing()
    {
        await using var server = new GatewayServer("--HeartGrains:Overload:Enabled=true", "--HeartGrains:Overload:MinRate=0.01", "--HeartGrains:Overload:MaxRate=0.01");
        await server.InitializeAsync();
        var target = HeartClient.Fresh("t");
        using var first = await server.Client.GiveAsync(target, "u1");
        first.StatusCode.ShouldBe(HttpStatusCode.Created);

        using var refused = await server.Client.GiveAsync(target, "u2");
        await refused.ShouldBeProblemAsync(503, "temporary-reduced-capacity");
        refused.Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(1));

        // Reads are limited apart: the one that is free shows what was stored.
        var state = await server.Client.ReadAsync(target).JsonAsync();
        state.GetProperty("count").GetInt64().ShouldBe(1);

        for (var call = 0; call < 20; call++)
        {
            foreach (var path in new[] { "/health/live", "/health/ready", "/metrics" })
            {
                using var answer = await server.Client.GetAsync(path);
                answer.StatusCode.ShouldBe(HttpStatusCode.OK, path);
            }
        }

        (await server.Client.GetStringAsync("/metrics")).ShouldContain("heartgrains_overload_refusals_total{calls=\"write\",reason=\"rate\"}");
    }

    [Fact]
    public async Task Give_RefusedBeforeItsBody_NeedsNone()
    {
        await using var server = new GatewayServer("--HeartGrains:Overload:Enabled=true", "--HeartGrains:Overload:MinRate=0.01", "--HeartGrains:Overload:MaxRate=0.01");
        await server.InitializeAsync();
        (await server.Client.GiveAsync(HeartClient.Fresh("t"), "u1")).Dispose();

        using var connection = await ConnectAsync(server);
        (await ExchangeAsync(connection, Head(server, bodyLength: 100, expectsContinue: true))).ShouldStartWith("HTTP/1.1 503");
    }

    [Fact]
    public async Task Give_WaitsForItsBody_IsNotInFlight()
    {
        await using var server = new GatewayServer("--HeartGrains:Overload:Enabled=true", "--HeartGrains:Overload:MaxInFlight=1");
        await server.InitializeAsync();
        var body = $$"""{"target_id":"{{HeartClient.Fresh("t")}}","user_id":"u1"}""";

        // "Go on" is sent when the body is asked for: from then on the call waits for its client.
        using var slow = await ConnectAsync(server);
        (await ExchangeAsync(slow, Head(server, body.Length, expectsContinue: true))).ShouldStartWith("HTTP/1.1 100");

        var answers = new List<HttpStatusCode>();
        while (!answers.Contains(HttpStatusCode.Created))
        {
            answers.Count.ShouldBeLessThan(1_000);
            using var other = await server.Client.GiveAsync(HeartClient.Fresh("t"), "u2");
            answers.Add(other.StatusCode);
        }

        (await ExchangeAsync(slow, body)).ShouldStartWith("HTTP/1.1 201");
        using var last = await server.Client.GiveAsync(HeartClient.Fresh("t"), "u3");
        last.StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    private static string Head(GatewayServer server, int bodyLength, bool expectsContinue) =>
        $"POST {HeartClient.Hearts} HTTP/1.1\r\nHost: {server.Url.Authority}\r\nContent-Type: application/json\r\nContent-Length: {bodyLength}\r\n"
        + (expectsContinue ? "Expect: 100-continue\r\n\r\n" : "\r\n");

    private static async Task<Socket> ConnectAsync(GatewayServer server)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Url.Host, server.Url.Port);
        return socket;
    }

    private static async Task<string> ExchangeAsync(Socket socket, string text)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes(text));
        var buffer = new byte[4096];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        return Encoding.ASCII.GetString(buffer, 0, await socket.ReceiveAsync(buffer, patience.Token));
    }
}
