using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;
using HeartGrains.Hosting;
using HeartGrains.Tests.Gateway;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.OpenApi;

/// <summary>What the document says, by itself and beside the routes that are mapped.</summary>
public sealed class ApiDocumentTests(ApiServer server) : IClassFixture<ApiServer>
{
    private static readonly string[] Prefixes = ["/api/v1/", "/oh/", "/applause/", "/health"];

    /// <summary>To add one: CONTRIBUTING.md, "Adding an endpoint".</summary>
    [Fact]
    public void Route_EachOfTheApi_IsDescribedMethodByMethod()
    {
        var routes = server.Gateway.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(static route => Prefixes.Any(prefix => ("/" + route.RoutePattern.RawText!.TrimStart('/')).StartsWith(prefix, StringComparison.Ordinal))).ToList();
        routes.Count.ShouldBeGreaterThan(20);
        foreach (var route in routes)
        {
            var described = route.Metadata.GetOrderedMetadata<Operation>();
            described.ShouldNotBeEmpty($"{route.RoutePattern.RawText} is not described: see CONTRIBUTING.md");
            foreach (var method in route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Where(static method => method != "HEAD") ?? [])
                server.Api.Calls.ShouldContain(call => call.Path == "/" + route.RoutePattern.RawText!.TrimStart('/') && call.Method.Method == method);
        }
    }

    [Fact]
    public void Operation_Each_IsDescribedInWords()
    {
        server.Api.Document["openapi"]!.GetValue<string>().ShouldStartWith("3.1");
        server.Api.Calls.Select(static call => call.Id).ShouldBeUnique();
        foreach (var call in server.Api.Calls)
        {
            call.Id.ShouldMatch("^[a-z][A-Za-z]+$");
            foreach (var text in (string[])["summary", "description"]) call.Operation[text]!.GetValue<string>().ShouldNotBeNullOrWhiteSpace($"{call}");
            call.Operation["tags"]!.AsArray().Count.ShouldBe(1);
            call.Statuses.ShouldContain(static status => status < 400, $"{call}");
            foreach (var response in call.Operation["responses"]!.AsObject())
            {
                response.Value!["description"]!.GetValue<string>().ShouldNotBeNullOrWhiteSpace($"{call} {response.Key}");
                response.Value["headers"]!["X-Request-Id"].ShouldNotBeNull();
            }

            foreach (var parameter in call.Parameters)
            {
                parameter["description"]!.GetValue<string>().ShouldNotBeNullOrWhiteSpace($"{call} {parameter["name"]}");
                if (parameter["required"]?.GetValue<bool>() is true) parameter["example"].ShouldNotBeNull($"{call} {parameter["name"]}");
            }
        }
    }

    [Fact]
    public void Example_Each_IsWhatItsSchemaSays()
    {
        var examples = 0;
        foreach (var (holder, value) in Examples())
        {
            if (holder["schema"] is not { } schema) continue;
            server.Api.FaultOf(schema, JsonSerializer.SerializeToElement(value)).ShouldBeNull();
            examples++;
        }

        examples.ShouldBeGreaterThan(100);
    }

    [Fact]
    public void Problem_EachThatIsNamed_IsOneOfOurs()
    {
        var known = typeof(Problem).GetFields().Where(static field => field.FieldType == typeof(Problem)).Select(static field => (Problem)field.GetValue(null)!).ToDictionary(static problem => problem.Code);
        foreach (var call in server.Api.Calls)
        {
            foreach (var response in call.Operation["responses"]!.AsObject())
            {
                foreach (var example in response.Value!["content"]?["application/problem+json"]?["examples"]!.AsObject() ?? [])
                {
                    known[example.Key].Status.ToString(System.Globalization.CultureInfo.InvariantCulture).ShouldBe(response.Key);
                    example.Value!["value"]!["code"]!.GetValue<string>().ShouldBe(example.Key);
                }
            }
        }
    }

    [Fact]
    public async Task Feature_SwitchedOff_IsNotInIt()
    {
        await using var gateway = new GatewayServer("--HeartGrains:Readers:Enabled=false");
        await gateway.InitializeAsync();
        var paths = JsonNode.Parse(await gateway.Client.GetStringAsync("/openapi/v1.json"))!["paths"]!.AsObject().Select(static path => path.Key).ToList();
        paths.ShouldContain("/api/v1/hearts");
        paths.ShouldNotContain(static path => path.StartsWith("/oh", StringComparison.Ordinal) || path.StartsWith("/applause", StringComparison.Ordinal) || path == "/api/v1/reader");
    }

    [Theory]
    [InlineData(404, "--HeartGrains:Docs:Enabled=false")]
    [InlineData(404, "--listen=0.0.0.0")]
    [InlineData(200, "--listen=0.0.0.0", "--HeartGrains:Docs:Enabled=true")]
    public async Task Document_WhereOthersCouldLook_IsServedOnlyIfConfigured(int status, params string[] settings)
    {
        await using var gateway = new GatewayServer(settings);
        await gateway.InitializeAsync();
        foreach (var path in (string[])["/openapi/v1.json", "/docs/", "/docs/scalar.js"])
        {
            using var answer = await gateway.Client.GetAsync(new Uri($"http://127.0.0.1:{gateway.Url.Port}{path}"));
            ((int)answer.StatusCode).ShouldBe(status, path);
        }
    }

    /// <summary>What listens on every address is called at the host by which its document was asked for.</summary>
    [Fact]
    public async Task Document_OfAGatewayThatListensOnEveryAddress_NamesOneToCall()
    {
        using var everywhere = new ServerElsewhere();
        await using var gateway = new GatewayServer("--admin-port=0")
        {
            Configure = services => services.AddSingleton(provider =>
                new ApiDocument(provider.GetRequiredService<EndpointDataSource>(), provider.GetRequiredService<HostSettings>(), everywhere)),
        };
        await gateway.InitializeAsync();
        foreach (var (address, host, expected) in ((string, string, string)[])[
            ("http://0.0.0.0:8123", "localhost", "http://localhost:8123"), ("http://[::]:8123", "127.0.0.1", "http://127.0.0.1:8123"), ("http://[::]:8123", "[::1]", "http://[::1]:8123"),
            ("http://192.0.2.1:8123", "localhost", "http://192.0.2.1:8123")])
        {
            everywhere.Address = address;
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(gateway.AdminUrl, "/openapi/v1.json"));
            request.Headers.Host = $"{host}:{gateway.AdminUrl.Port}";
            using var answer = await gateway.Client.SendAsync(request);
            (await answer.JsonAsync()).GetProperty("servers").EnumerateArray().Single().GetProperty("url").GetString().ShouldBe(expected);
        }
    }

    /// <summary>Each value that is shown, and what holds it and its schema.</summary>
    private IEnumerable<(JsonNode Holder, JsonNode Value)> Examples() => Nodes(server.Api.Document["paths"]!).OfType<JsonObject>().Where(static node => node.ContainsKey("schema")).SelectMany(static node =>
        (node["examples"]?.AsObject().Select(static example => example.Value!["value"]!) ?? []).Concat(node["example"] is { } example ? [example] : []).Select(value => ((JsonNode)node, value)));

    private static IEnumerable<JsonNode> Nodes(JsonNode node) =>
        [node, .. (node is JsonObject parts ? parts.Select(static part => part.Value) : node is JsonArray list ? list : []).Where(static part => part is JsonObject or JsonArray).SelectMany(static part => Nodes(part!))];

    /// <summary>Says that it listens on an address, without listening.</summary>
    private sealed class ServerElsewhere : IServer
    {
        private readonly ServerAddressesFeature _addresses = new();

        public ServerElsewhere() => Features.Set<IServerAddressesFeature>(_addresses);

        public string Address
        {
            set
            {
                _addresses.Addresses.Clear();
                _addresses.Addresses.Add(value);
            }
        }

        public IFeatureCollection Features { get; } = new FeatureCollection();

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken) where TContext : notnull => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose() { }
    }
}
