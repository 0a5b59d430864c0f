using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Sites;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Live;

/// <summary><c>GET /api/v1/live</c>: refuses in HTTP what it can, and hands the rest over as a WebSocket.</summary>
internal sealed class LiveEndpoint(LiveConnections connections, SiteList sites, IOptions<LiveOptions> options)
{
    // Enough for the largest message. Beyond it the system would keep megabytes for a client that does not read.
    private const int SendBufferBytes = 64 * 1024;

    private const int RetryAfterSeconds = 10;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var endpoint = ActivatorUtilities.CreateInstance<LiveEndpoint>(routes.ServiceProvider);

        // In a pipeline of its own: other requests need not be looked at for an upgrade.
        var pipeline = routes.CreateApplicationBuilder();
        pipeline.UseWebSockets();
        pipeline.Run(endpoint.AcceptAsync);
        routes.MapMethods("/api/v1/live", [HttpMethods.Get], pipeline.Build()).WithMetadata(NeverRefused.Instance).WithDisplayName("live").Describe(LiveOperations.Connect);
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

        if (!sites.Allows(context))
        {
            await context.WriteProblemAsync(Problem.OriginNotAllowed, "Pages of this origin may not connect.");
            return;
        }

        if (connections.IsStopping)
        {
            await context.WriteProblemAsync(Problem.Unavailable, "This gateway is stopping. Connect again: another takes you.", 1);
            return;
        }

        switch (connections.Seats.Enter(ClientAddress.Of(context), context.Connection.RemoteIpAddress, out var address))
        {
            case SeatRefusal.Rate:
                await context.WriteProblemAsync(Problem.TooManyConnections, "This address connects too often. Connect again after Retry-After.", RetryAfterSeconds);
                return;
            case SeatRefusal.Address:
                await context.WriteProblemAsync(Problem.TooManyConnections, $"An address has at most {options.Value.MaxConnectionsPerAddress} connections here.", RetryAfterSeconds);
                return;
            case SeatRefusal.Gateway:
                await context.WriteProblemAsync(Problem.TemporaryReducedCapacity, "This gateway has as many connections as it takes. Connect again after Retry-After.", RetryAfterSeconds);
                return;
        }

        try
        {
            if (context.Features.Get<IConnectionSocketFeature>()?.Socket is { } connected) connected.SendBufferSize = SendBufferBytes;
            using var socket = await context.WebSockets.AcceptWebSocketAsync(
                new WebSocketAcceptContext { KeepAliveInterval = options.Value.PingPeriod, KeepAliveTimeout = options.Value.PingTimeout });
            await connections.ServeAsync(socket, address);
        }
        finally
        {
            connections.Seats.Leave(address);
        }
    }
}
