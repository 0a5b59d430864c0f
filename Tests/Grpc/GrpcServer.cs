using Grpc.Core;
using Grpc.Net.Client;
using HeartGrains.Gateway;
using HeartGrains.Gateway.Grpc;
using HeartGrains.Tests.Gateway;
using Microsoft.Extensions.DependencyInjection;
using HeartsApi = HeartGrains.V1.Hearts;
using RichStatus = Google.Rpc.Status;

namespace HeartGrains.Tests.Grpc;

/// <summary>A gateway with its gRPC port, as <c>--mode=dev --grpc-port=0</c> runs it.</summary>
public sealed class GrpcServer : IAsyncLifetime
{
    private readonly GatewayServer _gateway;

    public GrpcServer() : this([]) { }

    internal GrpcServer(params string[] settings) => _gateway = new GatewayServer(["--grpc-port=0", .. settings]);

    internal GatewayServer Gateway => _gateway;

    /// <summary>HTTP, on its own port.</summary>
    public HttpClient Http => _gateway.Client;

    public Uri Url { get; private set; } = null!;

    public GrpcChannel Channel { get; private set; } = null!;

    internal HeartsApi.HeartsClient Hearts { get; private set; } = null!;

    internal static async Task<GrpcServer> StartAsync(params string[] settings)
    {
        var server = new GrpcServer(settings);
        await server.InitializeAsync();
        return server;
    }

    public async ValueTask InitializeAsync()
    {
        await _gateway.InitializeAsync();
        Url = new Uri($"http://{_gateway.Services.GetRequiredService<GrpcPort>().EndPoint}");
        Channel = GrpcChannel.ForAddress(Url);
        Hearts = new HeartsApi.HeartsClient(Channel);
    }

    public async ValueTask DisposeAsync()
    {
        Channel.Dispose();
        await _gateway.DisposeAsync();
    }
}

[CollectionDefinition(Name)]
public sealed class GrpcCollection : ICollectionFixture<GrpcServer>
{
    public const string Name = "grpc";
}

/// <summary>Refusals as clients see them.</summary>
internal static class GrpcClient
{
    public static async Task<RpcException> ShouldBeRefusedAsync<T>(this AsyncUnaryCall<T> call, StatusCode code, string reason)
    {
        using (call) return Checked(await Should.ThrowAsync<RpcException>(async () => await call), code, reason);
    }

    public static RpcException Checked(RpcException exception, StatusCode code, string reason)
    {
        exception.StatusCode.ShouldBe(code, exception.Status.Detail);
        var status = exception.Rich();
        status.Code.ShouldBe((int)code);
        status.Message.ShouldBe(exception.Status.Detail);
        var info = status.GetDetail<Google.Rpc.ErrorInfo>();
        info.Reason.ShouldBe(reason);
        info.Domain.ShouldBe("heartgrains.dev");
        info.Metadata["type"].ShouldStartWith("https://heartgrains.dev/problems#");
        exception.Status.Detail.ShouldNotContain("   at ");
        return exception;
    }

    public static RichStatus Rich(this RpcException exception) => exception.GetRpcStatus().ShouldNotBeNull();

    public static string[] Fields(this RpcException exception) => [.. exception.Rich().GetDetail<Google.Rpc.BadRequest>().FieldViolations.Select(violation => violation.Field)];

    public static long RetrySeconds(this RpcException exception) => exception.Rich().GetDetail<Google.Rpc.RetryInfo>().RetryDelay.Seconds;

    public static Metadata Bearer(string key) => new() { { "authorization", "Bearer " + key } };
}
