using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.Problems;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Live;

/// <summary><c>GET /api/v1/live</c>: refuses in HTTP what it can, and hands the rest over as a WebSocket.</summary>
internal sealed class LiveEndpoint(LiveDoor door, LiveConnections connections, IOptions<LiveOptions> options)
{
    // Enough for the largest message. Beyond it the system would keep megabytes for a client that does not read.
    private const int SendBufferBytes = 64 * 1024;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var endpoint = ActivatorUtilities.CreateInstance<LiveEndpoint>(routes.ServiceProvider);

        // In a pipeline of its own: other requests need not be looked at for an upgrade.
        var pipeline = routes.CreateApplicationBuilder();
        pipeline.UseWebSockets();
        pipeline.Run(endpoint.AcceptAsync);
        routes.MapMethods("/api/v1/live", [HttpMethods.Get], pipeline.Build()).NeverRefused().WithDisplayName("live").Describe(LiveOperations.Connect);
    }

    private async Task AcceptAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.Headers.Upgrade = "websocket";
            context.Response.Headers.SecWebSocketVersion = "13";
            await context.WriteProblemAsync(Problem.UpgradeRequired, "Connect with a WebSocket (RFC 6455).");
            return;
        }

        if (await door.EnterAsync(context) is not { } address) return;
        try
        {
            if (context.Features.Get<IConnectionSocketFeature>()?.Socket is { } connected) connected.SendBufferSize = SendBufferBytes;
            using var socket = await context.WebSockets.AcceptWebSocketAsync(
                new WebSocketAcceptContext { KeepAliveInterval = options.Value.PingPeriod, KeepAliveTimeout = options.Value.PingTimeout });
            await connections.ServeAsync(socket, address);
        }
        finally
        {
            door.Leave(address);
        }
    }
}
