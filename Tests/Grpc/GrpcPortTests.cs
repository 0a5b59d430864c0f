using System.Net;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Reflection.V1Alpha;
using HeartGrains.Gateway;
using HeartGrains.Hosting;
using HeartGrains.Tests.Gateway;
using HeartGrains.V1;
using HeartsApi = HeartGrains.V1.Hearts;

namespace HeartGrains.Tests.Grpc;

/// <summary>What answers on which port.</summary>
[Collection(GrpcCollection.Name)]
public sealed class GrpcPortTests(GrpcServer server)
{
    [Theory]
    [InlineData("GET", "/api/v1/hearts?target_id=x")]
    [InlineData("GET", "/health/ready")]
    [InlineData("GET", "/metrics")]
    [InlineData("GET", "/")]
    [InlineData("POST", "/api/v1/hearts")]
    public async Task GrpcPort_RoutesOfHttp_DoNotAnswer(string method, string path)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(server.Url, path)) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

        // Whatever host the request names.
        request.Headers.Host = server.Gateway.Url.Authority;
        using var answer = await client.SendAsync(request);
        await answer.ShouldBeProblemAsync(415, "unsupported-media-type");
    }

    [Fact]
    public async Task GrpcPort_RoutesOfHttpAskedForInGrpc_AreNoMethods()
    {
        using var channel = GrpcChannel.ForAddress(server.Url);
        var method = new Method<GiveRequest, GiveReply>(
            MethodType.Unary, "api/v1", "hearts", Marshallers.Create(static _ => Array.Empty<byte>(), static _ => new GiveRequest()), Marshallers.Create(static _ => Array.Empty<byte>(), static _ => new GiveReply()));
        await channel.CreateCallInvoker().AsyncUnaryCall(method, null, new CallOptions(), new GiveRequest()).ShouldBeRefusedAsync(StatusCode.Unimplemented, "METHOD_NOT_ALLOWED");
    }

    [Fact]
    public async Task HttpPort_MethodsOfGrpc_AreNotThere()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/heartgrains.v1.Hearts/Give");
        request.Content = new ByteArrayContent([0, 0, 0, 0, 0]);
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/grpc");
        request.Headers.Host = server.Url.Authority;
        using var answer = await server.Http.SendAsync(request);
        await answer.ShouldBeProblemAsync(404, "not-found");
    }

    [Fact]
    public async Task WithoutASetting_ThereIsNoPort()
    {
        await using var plain = new GatewayServer();
        await plain.InitializeAsync();
        plain.Services.GetService(typeof(HeartGrains.Gateway.Grpc.GrpcPort)).ShouldBeNull();
    }

    [Fact]
    public void Port_Taken_IsToldWithItsSetting()
    {
        var refused = Should.Throw<StartException>(() => ServiceHost.CreateBuilder(["--mode=dev", "--port=0", $"--grpc-port={server.Url.Port}"], 0, GatewayHosting.Features).AddGateway());
        refused.Message.ShouldContain("HeartGrains:Grpc:Port");
        Should.Throw<StartException>(() => ServiceHost.CreateBuilder(["--mode=dev", "--port=47123", "--grpc-port=47123"], 0, GatewayHosting.Features).AddGateway()).Message.ShouldContain("the port of HTTP");
        Should.Throw<StartException>(() => ServiceHost.CreateBuilder(["--mode=dev", "--port=0", "--admin-port=47123", "--grpc-port=47123"], 0, GatewayHosting.Features).AddGateway()).Message.ShouldContain("the operators' port");
    }

    [Theory]
    [InlineData("")]
    [InlineData("heartgrains.v1.Hearts")]
    public async Task Health_OfAReadyGateway_IsServing(string service)
    {
        var health = new Health.HealthClient(server.Channel);
        (await health.CheckAsync(new HealthCheckRequest { Service = service })).Status.ShouldBe(HealthCheckResponse.Types.ServingStatus.Serving);
    }

    [Fact]
    public async Task Reflection_ListsTheServicesAndTheirFile()
    {
        (await AskAsync(server.Channel, new ServerReflectionRequest { ListServices = "" })).ListServicesResponse.Service.Select(service => service.Name)
            .ShouldBe(["heartgrains.v1.Hearts", "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection", "grpc.reflection.v1.ServerReflection"], ignoreOrder: true);
        var file = await AskAsync(server.Channel, new ServerReflectionRequest { FileContainingSymbol = "heartgrains.v1.Hearts" });
        file.FileDescriptorResponse.FileDescriptorProto.ShouldContain(HeartsApi.Descriptor.File.SerializedData);
    }

    [Fact]
    public async Task Reflection_SwitchedOff_IsNoService()
    {
        await using var closed = await GrpcServer.StartAsync("--HeartGrains:Grpc:Reflection=false");
        var refused = await Should.ThrowAsync<RpcException>(() => AskAsync(closed.Channel, new ServerReflectionRequest { ListServices = "" }));
        GrpcClient.Checked(refused, StatusCode.Unimplemented, "METHOD_NOT_ALLOWED");
    }

    private static async Task<ServerReflectionResponse> AskAsync(GrpcChannel channel, ServerReflectionRequest request)
    {
        using var call = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(request);
        await call.RequestStream.CompleteAsync();
        (await call.ResponseStream.MoveNext()).ShouldBeTrue();
        return call.ResponseStream.Current;
    }
}
