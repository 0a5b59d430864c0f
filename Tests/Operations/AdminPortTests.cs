using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using HeartGrains.Gateway;
using HeartGrains.Hosting;
using HeartGrains.Silo;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.OpenApi;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace HeartGrains.Tests.Operations;

/// <summary>Operators' routes on a port of their own.</summary>
public sealed class AdminPortTests(AdminPortTests.Server server) : IClassFixture<AdminPortTests.Server>
{
    private static readonly string[] Operators =
    [
        "GET /metrics", "POST /metrics", "GET /dashboard", "GET /dashboard/", "GET /dashboard/index.min.js", "GET /dashboard/ClusterStats", "DELETE /dashboard",
        "DELETE /api/v1/quota?user_id=u", "POST /api/v1/breakers/hearts", "GET /api/v1/breakers/hearts", "POST /api/v1/imports/applause", "PUT /api/v1/imports/applause",
        "GET /api/v1/events", "GET /api/v1/explain?target_id=t&user_id=u", "GET /api/v1/admin/jobs?id=j", "POST /api/v1/admin/verify", "POST /api/v1/admin/targets/freeze", "GET /api/v1/admin/webhooks", "GET /docs/", "GET /openapi/v1.json",
    ];

    private static readonly string[] Public =
    [
        "GET /", "GET /demo", "GET /heart-button.js", "POST /api/v1/hearts", "GET /api/v1/hearts?target_id=t", "HEAD /api/v1/hearts?target_id=t", "PUT /api/v1/hearts", "GET /api/v1/hearts/top",
        "GET /api/v1/quota?user_id=u", "GET /api/v1/breakers", "GET /api/v1/reader", "GET /api/v1/live", "GET /oh/a.example/page", "OPTIONS /applause/get-claps",
        "DELETE /api/v1/users?user_id=u", "GET /api/v1/users/export?user_id=u", "POST /api/v1/identity/merge",
    ];

    public static TheoryData<string> OperatorsCalls => [.. Operators];

    public static TheoryData<string> PublicCalls => [.. Public];

    [Theory]
    [MemberData(nameof(OperatorsCalls))]
    public async Task OperatorsRoute_OnThePortForEverybody_IsNotThere(string call)
    {
        using var there = await server.SendAsync(call, server.Gateway.AdminUrl);
        there.StatusCode.ShouldNotBe(HttpStatusCode.NotFound);

        // Whatever host the request says it asks.
        foreach (var host in (string?[])[null, server.Gateway.AdminUrl.Authority])
        {
            using var here = await server.SendAsync(call, server.Gateway.Url, host);
            await here.ShouldBeProblemAsync(404, "not-found");
            here.Content.Headers.Allow.ShouldBeEmpty();
        }
    }

    /// <summary>DNS rebinding: a page whose name was made to mean this machine sends that name.</summary>
    [Theory]
    [MemberData(nameof(OperatorsCalls))]
    public async Task OperatorsRoute_FromThisMachineByANameOfAnother_IsNotThere(string call)
    {
        using var there = await server.SendAsync(call, server.Gateway.AdminUrl, $"localhost:{server.Gateway.AdminUrl.Port}");
        there.StatusCode.ShouldNotBe(HttpStatusCode.NotFound);
        using var here = await server.SendAsync(call, server.Gateway.AdminUrl, $"page.example:{server.Gateway.AdminUrl.Port}");
        await here.ShouldBeProblemAsync(404, "not-found");
        here.Content.Headers.Allow.ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(PublicCalls))]
    public async Task PublicRoute_OnTheOperatorsPort_IsNotThere(string call)
    {
        using var there = await server.SendAsync(call, server.Gateway.Url);
        there.StatusCode.ShouldNotBe(HttpStatusCode.NotFound);

        foreach (var host in (string?[])[null, server.Gateway.Url.Authority])
        {
            using var here = await server.SendAsync(call, server.Gateway.AdminUrl, host);
            here.StatusCode.ShouldBe(HttpStatusCode.NotFound);
            if (!call.StartsWith("HEAD", StringComparison.Ordinal)) await here.ShouldBeProblemAsync(404, "not-found");
        }
    }

    /// <summary>Those that are written down above and those that are not.</summary>
    [Fact]
    public async Task Route_Each_IsOnThePortsOfItsMetadataOnly()
    {
        var routes = server.Gateway.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().ToList();
        routes.Count.ShouldBeGreaterThan(40);
        foreach (var route in routes)
        {
            var path = "/" + string.Join('/', route.RoutePattern.PathSegments.Select(static segment => string.Concat(segment.Parts.Select(static part => part is Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal ? literal.Content : part is Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart { Name: "documentName" } ? "v1" : "hearts"))));
            var ports = route.Metadata.GetMetadata<IPortsMetadata>()?.Ports ?? Ports.Public;
            (ports != Ports.Public).ShouldBe(path.StartsWith("/health", StringComparison.Ordinal) || IsOperators(path, route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []), path);
            foreach (var method in route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"])
            {
                if (!ports.HasFlag(Ports.Public)) (await StatusAsync(server.Gateway.Url)).ShouldBe(HttpStatusCode.NotFound, path);
                if (!ports.HasFlag(Ports.Operators)) (await StatusAsync(server.Gateway.AdminUrl)).ShouldBe(HttpStatusCode.NotFound, path);

                async Task<HttpStatusCode> StatusAsync(Uri port)
                {
                    using var answer = await server.SendAsync($"{method} {path}", port);
                    return answer.StatusCode;
                }
            }
        }
    }

    /// <summary>A client that is made of the document calls each call on the port that answers it.</summary>
    [Fact]
    public async Task Document_OnTheOperatorsPort_NamesThePortOfEachCall()
    {
        using var answer = await server.SendAsync("GET /openapi/v1.json", server.Gateway.AdminUrl);
        var document = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        var calls = new DocumentedApi(document).Calls;
        calls.Count.ShouldBeGreaterThan(40);
        foreach (var call in calls)
        {
            var url = (call.Operation["servers"] ?? document["servers"])!.AsArray().ShouldHaveSingleItem()!["url"]!.GetValue<string>();
            var isOperators = IsOperators(string.Join('/', call.Path.Split('/').Select(static part => part.StartsWith('{') ? "hearts" : part)), [call.Method.Method]);
            new Uri(answer.RequestMessage!.RequestUri!, url).ShouldBe(isOperators ? server.Gateway.AdminUrl : server.Gateway.Url, $"{call}");
        }
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    public async Task Health_OnEitherPort_IsTold(string path)
    {
        foreach (var port in (Uri[])[server.Gateway.Url, server.Gateway.AdminUrl])
        {
            foreach (var host in (string?[])[null, "balancer.example"])
            {
                using var answer = await server.SendAsync("GET " + path, port, host);
                answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            }
        }
    }

    [Fact]
    public async Task Method_OfNobody_IsRefusedWithTheOthersOfThatPort()
    {
        using var answer = await server.SendAsync("PUT /api/v1/hearts", server.Gateway.Url);
        await answer.ShouldBeProblemAsync(405, "method-not-allowed");
        using var own = await server.SendAsync("PUT /api/v1/imports/applause", server.Gateway.AdminUrl);
        await own.ShouldBeProblemAsync(405, "method-not-allowed");
        own.Content.Headers.Allow.ShouldBe(["POST"]);
    }

    [Fact]
    public async Task Page_WhoseReaderDoesNotReachThePort_DoesNotLinkToIt()
    {
        var html = await server.Gateway.Client.GetStringAsync("/");
        html.ShouldNotContain("/metrics\"");
        html.ShouldNotContain("/dashboard\"");
    }

    /// <summary>With none of its own everything is on the one there is.</summary>
    [Fact]
    public async Task OperatorsRoute_NoPortOfTheirOwn_IsOnTheOneThereIs()
    {
        await using var gateway = new GatewayServer("--dashboard=true");
        await gateway.InitializeAsync();
        (await gateway.Client.GetStringAsync("/metrics")).ShouldContain("heartgrains_");
        (await gateway.Client.GetStringAsync("/")).ShouldContain("href=\"/metrics\"");
        using var operators = await gateway.Client.GetAsync("/dashboard/");
        operators.StatusCode.ShouldBe(HttpStatusCode.OK);

        foreach (var call in (string[])["GET /metrics", "GET /dashboard/", "GET /docs/", "DELETE /api/v1/quota?user_id=u"])
        {
            using var rebound = await server.SendAsync(call, gateway.Url, "page.example");
            await rebound.ShouldBeProblemAsync(404, "not-found");
        }

        using var everybodys = await server.SendAsync("GET /api/v1/quota?user_id=u", gateway.Url, "page.example");
        everybodys.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Theory]
    [InlineData("HistoricalStats")]
    [InlineData("SiloProperties")]
    [InlineData("SiloCounters")]
    public async Task Dashboard_WhatIsNoSilo_IsNotFound(string what)
    {
        foreach (var path in (string[])["x", "127.0.0.1:1@1", "192.0.2.1:11111@12345678"])
        {
            using var answer = await server.SendAsync($"GET /dashboard/{what}/{path}", server.Gateway.AdminUrl);
            await answer.ShouldBeProblemAsync(404, "not-found");
        }

        using var known = await server.SendAsync($"GET /dashboard/{what}/{Uri.EscapeDataString(server.Gateway.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress.ToParsableString())}", server.Gateway.AdminUrl);
        known.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    /// <summary>What a silo answers by HTTP.</summary>
    [Fact]
    public async Task Silo_HealthAndMetrics_AreOnThePortsAsOfAGateway()
    {
        await using var silo = await StartSiloAsync(["--admin-port=0"]);
        foreach (var (path, port, status) in new[] { ("/metrics", 0, 404), ("/metrics", 1, 200), ("/health/ready", 0, 200), ("/health/ready", 1, 200) })
        {
            using var answer = await server.SendAsync("GET " + path, new Uri(silo.Urls.ElementAt(port)));
            ((int)answer.StatusCode).ShouldBe(status, $"{path} on {port}");
        }
    }

    /// <summary>A host is asked for only where nothing else keeps foreign ones out.</summary>
    [Theory]
    [InlineData(404, null)]
    [InlineData(404, "*")]
    [InlineData(404, "page.example;0.0.0.0")]
    [InlineData(200, "page.example;localhost")]
    [InlineData(400, "silo.example")]
    [InlineData(200, null, "--HeartGrains:TrustedProxies=192.0.2.1")]
    public async Task Silo_MetricsByANameOfAnotherMachine_AreThereWhereItIsExpected(int status, string? allowedHosts, params string[] settings)
    {
        await using var silo = await StartSiloAsync(settings, allowedHosts);
        using var answer = await server.SendAsync("GET /metrics", new Uri(silo.Urls.First()), "page.example");
        ((int)answer.StatusCode).ShouldBe(status);
        using var health = await server.SendAsync("GET /health", new Uri(silo.Urls.First()), "page.example");
        ((int)health.StatusCode).ShouldBe(status == 400 ? 400 : 200);
    }

    /// <summary>As a collector on another machine does.</summary>
    [Theory]
    [InlineData("192.0.2.7", "gateway:9080", true)]
    [InlineData("127.0.0.1", "gateway:9080", false)]
    [InlineData("::1", "page.example", false)]
    [InlineData("::ffff:127.0.0.1", "page.example", false)]
    [InlineData("127.0.0.1", "127.0.0.1.page.example", false)]
    [InlineData("127.0.0.1", "", false)]
    [InlineData("127.0.0.1", "LOCALHOST:9080", true)]
    [InlineData("::1", "[::1]:9080", true)]
    [InlineData("127.0.0.1", "127.0.0.1", true)]
    public void Host_OfACallFrom_IsTaken(string from, string host, bool isTaken)
    {
        using var services = new ServiceCollection().AddOptions().AddSingleton<IConfiguration>(new ConfigurationBuilder().Build()).AddSingleton<OperatorHosts>().BuildServiceProvider();
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(from);
        context.Request.Host = new HostString(host);
        services.GetRequiredService<OperatorHosts>().Take(context).ShouldBe(isTaken);
    }

    [Fact]
    public void Start_PortThatIsTaken_NamesTheSetting()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        Refusal($"--admin-port={port}").ShouldBe(
            $"The port is taken: 127.0.0.1:{port}. Choose another (HeartGrains:Admin:Port, HEARTGRAINS__ADMIN__PORT, --admin-port).");
    }

    [Theory]
    [InlineData("'8123' is the port for everybody; operators need one of their own (HeartGrains:Admin:Port, ", "--port=8123", "--admin-port=8123")]
    [InlineData("'here' is not an IP address (HeartGrains:Admin:Listen, ", "--admin-port=0", "--HeartGrains:Admin:Listen=here")]
    [InlineData("'192.0.2.1' is no address of this machine (HeartGrains:Admin:Listen, ", "--admin-port=0", "--HeartGrains:Admin:Listen=192.0.2.1")]
    [InlineData("'65536' is refused: ", "--admin-port=65536")]
    public void Start_SettingThatCannotBe_IsNamed(string expected, params string[] settings) => Refusal(settings).ShouldStartWith(expected);

    private static string Refusal(params string[] settings)
    {
        var message = Should.Throw<StartException>(() => ServiceHost.CreateBuilder(["--mode=dev", "--port=0", .. settings], defaultPort: 0, GatewayHosting.Features)).Message;
        message.ShouldNotContain("\n");
        return message;
    }

    private static async Task<WebApplication> StartSiloAsync(string[] settings, string? allowedHosts = null)
    {
        var builder = ServiceHost.CreateBuilder(["--port=0", .. settings], defaultPort: 0, SiloHosting.Features);
        builder.Configuration["AllowedHosts"] = allowedHosts;
        builder.Logging.ClearProviders();
        builder.Services.AddHealthChecks();
        var app = builder.Build();
        app.MapOperations();
        await app.StartAsync();
        return app;
    }

    private static bool IsOperators(string path, IReadOnlyList<string> methods) =>
        Operators.Any(call => call[(call.IndexOf(' ') + 1)..].Split('?')[0] == path && methods.Contains(call.Split(' ')[0]))
        || path == "/metrics" || ((string[])["/dashboard", "/docs", "/openapi", "/api/v1/events", "/api/v1/explain", "/api/v1/admin", "/api/v1/imports"]).Any(part => path == part || path.StartsWith(part + "/", StringComparison.Ordinal));

    /// <summary>A gateway with everything on and two ports.</summary>
    public sealed class Server : IAsyncLifetime
    {
        private readonly HttpClient _client = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });

        internal GatewayServer Gateway { get; } = new("--admin-port=0", "--dashboard=true", "--HeartGrains:OpenHeart:Enabled=true", "--HeartGrains:Applause:Enabled=true");

        public ValueTask InitializeAsync() => Gateway.InitializeAsync();

        internal Task<HttpResponseMessage> SendAsync(string call, Uri port, string? host = null)
        {
            var request = new HttpRequestMessage(new HttpMethod(call.Split(' ')[0]), new Uri(port, call.Split(' ')[1]));
            if (call.StartsWith("POST", StringComparison.Ordinal)) request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
            request.Headers.Host = host;
            return _client.SendAsync(request);
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await Gateway.DisposeAsync();
        }
    }
}
