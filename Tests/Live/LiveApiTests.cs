using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using HeartGrains.Gateway.Live;
using HeartGrains.Live;
using HeartGrains.Tests.Cluster;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.Live;

/// <summary>What one client sees of <c>/api/v1/live</c>, over a real gateway with its silo in it.</summary>
[Collection(GatewayCollection.Name)]
public sealed class LiveApiTests(GatewayServer gateway)
{
    private readonly string _target = HeartClient.Fresh("live \"ü\" ");

    [Fact]
    public async Task Subscribe_UnknownTarget_IsToldAtOnceAndItsFirstHeartToo()
    {
        await using var client = await LiveClient.WatchAsync(gateway.Url, _target);
        await client.UntilCountAsync(_target, 0);
        client.Last(_target).ShouldBe(new SeenUpdate(_target, 0, 0));

        // Longer than an activation without hearts stays when nobody watches.
        await Task.Delay(TimeSpan.FromSeconds(2.5), TimeProvider.System);
        await gateway.Client.GiveAsync(_target, "ann");
        await client.UntilCountAsync(_target, 1, TimeSpan.FromSeconds(20));

        await gateway.Client.WithdrawAsync(_target, "ann");
        await client.UntilCountAsync(_target, 0, TimeSpan.FromSeconds(20));
        client.Last(_target)!.Version.ShouldBe(2);
        client.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task Subscribe_Since_SendsOnlyWhatChanged()
    {
        var other = HeartClient.Fresh("other");
        foreach (var user in (string[])["ann", "ben"])
        {
            await gateway.Client.GiveAsync(_target, user);
            await gateway.Client.GiveAsync(other, user);
        }

        await using var client = await LiveClient.ConnectAsync(gateway.Url);
        await client.SendAsync(new { subscribe = new[] { _target, other, "never heard of" }, since = new Dictionary<string, long> { [_target] = 2, [other] = 1, ["never heard of"] = 0 } });

        await client.UntilCountAsync(other, 2);
        await gateway.Client.GiveAsync(_target, "cid");
        await client.UntilCountAsync(_target, 3);
        client.Updates.ShouldBe([new(other, 2, 2), new(_target, 3, 3)]);
    }

    [Fact]
    public async Task Unsubscribe_IsToldNoMore()
    {
        var other = HeartClient.Fresh("other");
        await using var client = await LiveClient.WatchAsync(gateway.Url, _target, other);
        await client.UntilCountAsync(_target, 0);
        await client.UntilCountAsync(other, 0);

        await client.SendAsync(new { unsubscribe = new[] { _target } });
        await client.SendAsync(new { subscribe = new[] { other } });
        await LiveClient.UntilAsync(() => client.Updates.Count == 3, "the state is told again when asked again");
        await gateway.Client.GiveAsync(_target, "ann");
        await gateway.Client.GiveAsync(other, "ann");

        await client.UntilCountAsync(other, 1);
        client.Last(_target)!.Count.ShouldBe(0);
    }

    [Fact]
    public async Task Changes_Many_AreConflatedToTenASecondAndTheLastArrives()
    {
        await using var client = await LiveClient.WatchAsync(gateway.Url, _target);
        await client.UntilCountAsync(_target, 0);
        var started = TimeProvider.System.GetTimestamp();
        var given = 0;
        while (TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(1))
            (await gateway.Client.GiveAsync(_target, $"u{given++}")).StatusCode.ShouldBe(HttpStatusCode.Created);

        await client.UntilCountAsync(_target, given, TimeSpan.FromSeconds(20));
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        given.ShouldBeGreaterThan(50);
        (client.Updates.Count - 1).ShouldBeLessThanOrEqualTo((int)Math.Ceiling(seconds * 10) + 1);
        client.ShouldNeverHaveGoneBack();
    }

    [Fact]
    public async Task Message_Wrong_IsAnErrorAndTheConnectionGoesOn()
    {
        await using var client = await LiveClient.ConnectAsync(gateway.Url);
        await client.SendAsync("no");
        await client.SendAsync(new { subscribe = Enumerable.Range(0, 201).Select(i => $"{_target}{i}") });

        await LiveClient.UntilAsync(() => client.Errors.Count == 2 && client.Updates.Count == 200, "errors and updates are missing");
        client.Errors.ShouldBe(["invalid-message", "too-many-targets"]);
        client.Messages.ShouldBeLessThan(200);
        client.IsOver.ShouldBeFalse();
    }

    [Fact]
    public async Task Get_NoWebSocket_IsRefused()
    {
        using var answer = await gateway.Client.GetAsync("/api/v1/live");
        await answer.ShouldBeProblemAsync(426, "upgrade-required");
        answer.Headers.Upgrade.ToString().ShouldBe("websocket");
        (await gateway.Client.PostJsonAsync("/api/v1/live", "{}")).StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
    }

    [Fact]
    public async Task Connect_ForeignOrigin_IsRefused()
    {
        var refused = await Should.ThrowAsync<WebSocketException>(() => LiveClient.ConnectAsync(gateway.Url, "https://evil.example"));
        refused.Message.ShouldContain("403");
        await using var own = await LiveClient.ConnectAsync(gateway.Url, gateway.Url.GetLeftPart(UriPartial.Authority));
        await own.SendAsync(new { subscribe = new[] { _target } });
        await own.UntilCountAsync(_target, 0);
    }

    [Fact]
    public async Task Close_ByTheClient_IsAnswered()
    {
        await using var client = await LiveClient.ConnectAsync(gateway.Url);
        await client.CloseAsync();
        (await client.UntilClosedAsync()).ShouldBe((1000, "bye"));
    }

    [Fact]
    public async Task Close_BinaryMessage_SaysTextOnly()
    {
        await using var client = await LiveClient.ConnectAsync(gateway.Url);
        await client.SendBinaryAsync([1, 2, 3]);
        (await client.UntilClosedAsync()).ShouldBe((1003, "text-only"));
    }

    [Fact]
    public async Task Metrics_Connection_IsNoRequest()
    {
        await using (var client = await LiveClient.WatchAsync(gateway.Url, _target))
        {
            await client.UntilCountAsync(_target, 0);
            var during = await gateway.Client.GetStringAsync("/metrics");
            Value(during, "heartgrains_live_connections").ShouldBeGreaterThanOrEqualTo(1);
            Value(during, "heartgrains_live_targets").ShouldBeGreaterThanOrEqualTo(1);
            await client.CloseAsync();
            await client.UntilClosedAsync();
        }

        (await gateway.Client.GetStringAsync("/metrics")).ShouldNotContain("status=\"101\"");
    }

    private static double Value(string metrics, string name) => double.Parse(
        metrics.Split('\n').Single(line => line.StartsWith(name + " ", StringComparison.Ordinal))[name.Length..], CultureInfo.InvariantCulture);
}

/// <summary>The limits, each with settings of its own.</summary>
public sealed class LiveLimitTests
{
    [Fact]
    public async Task Message_TooBig_Closes()
    {
        await using var gateway = await StartAsync("MaxMessageBytes=1024");
        await using var client = await LiveClient.ConnectAsync(gateway.Url);
        await client.SendAsync($"{{\"subscribe\":[\"{new string('a', 5_000)}\"]}}");
        (await client.UntilClosedAsync()).ShouldBe((1009, "message-too-big"));
    }

    [Fact]
    public async Task Messages_TooMany_Closes()
    {
        await using var gateway = await StartAsync("MessageBurst=20", "MessagesPerSecond=0.1");
        await using var client = await LiveClient.ConnectAsync(gateway.Url);
        for (var i = 0; i < 22 && !client.IsOver; i++) await client.SendAsync("{}");
        (await client.UntilClosedAsync()).ShouldBe((4002, "too-many-messages"));
    }

    [Fact]
    public async Task Connection_WatchesNothing_IsClosedAndOneThatWatchesIsNot()
    {
        await using var gateway = await StartAsync("IdleTimeout=00:00:00.400");
        await using var watches = await LiveClient.WatchAsync(gateway.Url, "post");
        await using var idle = await LiveClient.ConnectAsync(gateway.Url);
        (await idle.UntilClosedAsync()).ShouldBe((4000, "idle"));
        watches.IsOver.ShouldBeFalse();

        await watches.SendAsync(new { unsubscribe = new[] { "post" } });
        (await watches.UntilClosedAsync()).ShouldBe((4000, "idle"));
    }

    [Fact]
    public async Task Connections_OfOneAddress_AreLimited()
    {
        await using var gateway = await StartAsync("MaxConnectionsPerAddress=2");
        await using var first = await LiveClient.ConnectAsync(gateway.Url);
        await using (await LiveClient.ConnectAsync(gateway.Url))
            (await Should.ThrowAsync<WebSocketException>(() => LiveClient.ConnectAsync(gateway.Url))).Message.ShouldContain("429");

        LiveClient? third = null;
        await LocalCluster.UntilAsync(async () => (third = await TryConnectAsync(gateway.Url)) is not null, TimeSpan.FromSeconds(60), "the seat is not free");
        await using var closing = third;
        third!.IsOver.ShouldBeFalse();
    }

    [Fact]
    public async Task Connections_OfTheGateway_AreLimited()
    {
        await using var gateway = await StartAsync("MaxConnections=1");
        await using var first = await LiveClient.ConnectAsync(gateway.Url);
        (await Should.ThrowAsync<WebSocketException>(() => LiveClient.ConnectAsync(gateway.Url))).Message.ShouldContain("503");
    }

    /// <summary>It reads nothing: what it costs stays bounded, and then it is dropped; nobody else waits.</summary>
    [Fact]
    public async Task Client_DoesNotRead_IsConflatedThenDropped()
    {
        await using var gateway = await StartAsync("SlowTimeout=00:00:01", "MaxTargets=400");
        var targets = Enumerable.Range(0, 400).Select(static number => $"{number:000}{new string('x', 250)}").ToArray();
        await using var reader = await LiveClient.WatchAsync(gateway.Url, targets[0]);
        using var slow = await RawClient.ConnectAsync(gateway.Url);
        foreach (var some in targets.Chunk(200)) await slow.SendAsync($"{{\"subscribe\":[{string.Join(',', some.Select(static target => $"\"{target}\""))}]}}");
        await LiveClient.UntilAsync(() => gateway.Hub.Count == targets.Length, "not all are watched");

        var version = 0;
        await LiveClient.UntilAsync(
            () =>
            {
                version++;
                _ = gateway.Hub.ToldAsync(new LiveBatch([.. targets.Select(target => new LiveUpdate(target, version, version))], [])).AsTask();
                return gateway.CountOf("4001") == 1;
            },
            "it is not dropped");

        await reader.UntilCountAsync(targets[0], version);
        gateway.Conflated.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Client_DoesNotEndItsMessage_IsDropped()
    {
        await using var gateway = await StartAsync("SlowTimeout=00:00:00.500");
        using var slow = await RawClient.ConnectAsync(gateway.Url);
        await slow.SendAsync("{\"subscribe\":[", isWhole: false);
        await LiveClient.UntilAsync(() => gateway.CountOf("4001") == 1, "it is not dropped");
    }

    [Fact]
    public async Task Client_DoesNotAnswerPings_IsDropped()
    {
        await using var gateway = await StartAsync("PingPeriod=00:00:00.500", "PingTimeout=00:00:00.500");
        await using var alive = await LiveClient.WatchAsync(gateway.Url, "post");
        using var dead = await RawClient.ConnectAsync(gateway.Url);
        await LiveClient.UntilAsync(() => gateway.CountOf("4003") == 1, "it is not dropped");
        alive.IsOver.ShouldBeFalse();
    }

    [Fact]
    public async Task Target_CannotBeRead_IsSaidAndToldOnceItCan()
    {
        const string Key = "the operator's own key";
        var server = new GatewayServer(TestKeys.Switches(Key));
        await server.InitializeAsync();
        await using var gateway = new LimitedGateway(server);
        await server.ForceOpenAsync("ledger", Key);
        await using var client = await LiveClient.WatchAsync(gateway.Url, "post", "other");
        await LiveClient.UntilAsync(() => client.Errors.Count > 0, "it is not said");
        client.Updates.ShouldBeEmpty();

        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/breakers/ledger") { Content = new StringContent("""{"state":"auto","reason":"test"}""", Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new("Bearer", Key);
        (await server.Client.SendAsync(request)).StatusCode.ShouldBe(HttpStatusCode.OK);

        await client.UntilCountAsync("post", 0);
        await client.UntilCountAsync("other", 0);
        client.Errors.Distinct().ShouldBe(["unavailable"]);
        client.Errors.Count.ShouldBeLessThanOrEqualTo(2);
    }

    [Fact]
    public async Task Stop_ClosesAllAndDoesNotWaitForThem()
    {
        await using var gateway = await StartAsync();
        await using var client = await LiveClient.WatchAsync(gateway.Url, "post");
        using var mute = await RawClient.ConnectAsync(gateway.Url);
        await client.UntilCountAsync("post", 0);
        var started = TimeProvider.System.GetTimestamp();

        await gateway.Server.StopAsync();

        (await client.UntilClosedAsync()).ShouldBe((1001, "going-away"));
        TimeProvider.System.GetElapsedTime(started).ShouldBeLessThan(TimeSpan.FromSeconds(8));
    }

    private static async Task<LiveClient?> TryConnectAsync(Uri gateway)
    {
        try
        {
            return await LiveClient.ConnectAsync(gateway);
        }
        catch (WebSocketException)
        {
            return null;
        }
    }

    private static async Task<LimitedGateway> StartAsync(params string[] settings)
    {
        var server = new GatewayServer([.. settings.Select(static setting => "--HeartGrains:Live:" + setting)]);
        await server.InitializeAsync();
        return new LimitedGateway(server);
    }

    private sealed record LimitedGateway(GatewayServer Server) : IAsyncDisposable
    {
        // Metrics are the process's: only what is new counts.
        private readonly Dictionary<string, double> _before = Closes();

        public Uri Url => Server.Url;

        public LiveHub Hub => Server.Services.GetRequiredService<LiveHub>();

        public double Conflated => Shown("heartgrains_live_conflated_total").Single().Value;

        public double CountOf(string code) => Closes()[code] - _before[code];

        public ValueTask DisposeAsync() => Server.DisposeAsync();

        private static Dictionary<string, double> Closes() => Shown("heartgrains_live_closes_total").ToDictionary(static line => line.Labels.Split('"')[1], static line => line.Value);

        private static IEnumerable<(string Labels, double Value)> Shown(string name)
        {
            using var text = new MemoryStream();
            Prometheus.Metrics.DefaultRegistry.CollectAndExportAsTextAsync(text).GetAwaiter().GetResult();
            return [.. Encoding.UTF8.GetString(text.ToArray()).Split('\n')
                .Where(line => line.StartsWith(name, StringComparison.Ordinal))
                .Select(static line => line.Split(' '))
                .Select(static words => (words[0], double.Parse(words[1], CultureInfo.InvariantCulture)))];
        }
    }

    /// <summary>A client that answers nothing and reads nothing, with little room for what it is sent.</summary>
    private sealed class RawClient : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4_096 };

        public static async Task<RawClient> ConnectAsync(Uri gateway)
        {
            var client = new RawClient();
            await client._socket.ConnectAsync(IPAddress.Loopback, gateway.Port);
            await client._socket.SendAsync(Encoding.ASCII.GetBytes(
                $"GET /api/v1/live HTTP/1.1\r\nHost: {gateway.Authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
            var head = new byte[1_024];
            (await client._socket.ReceiveAsync(head)).ShouldBeGreaterThan(0);
            Encoding.ASCII.GetString(head).ShouldStartWith("HTTP/1.1 101 ");
            return client;
        }

        /// <summary>A masked text frame of 16-bit length whose mask is zero.</summary>
        public async Task SendAsync(string text, bool isWhole = true)
        {
            var payload = Encoding.UTF8.GetBytes(text);
            byte[] head = [(byte)(isWhole ? 0x81 : 0x01), 0x80 | 126, (byte)(payload.Length >> 8), (byte)payload.Length, 0, 0, 0, 0];
            await _socket.SendAsync((byte[])[.. head, .. payload]);
        }

        public void Dispose() => _socket.Dispose();
    }
}
