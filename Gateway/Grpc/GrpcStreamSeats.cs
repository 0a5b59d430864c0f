using Grpc.AspNetCore.Server;
using Grpc.Core;
using HeartGrains.Gateway.Live;

namespace HeartGrains.Gateway.Grpc;

/// <summary>
/// Seats for the streams of the services beside ours, the health's <c>Watch</c> and reflection: they last as long as a client likes, so they count with the watches of targets.
/// </summary>
internal sealed class GrpcStreamSeats(RequestDelegate next, LiveDoor door)
{
    public Task InvokeAsync(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>() is not { Method.Type: not MethodType.Unary } || GrpcRoutes.IsHearts(context.Request.Path) ? next(context) : SeatAsync(context);

    private async Task SeatAsync(HttpContext context)
    {
        if (await door.EnterAsync(context) is not { } address) return;
        try
        {
            await next(context);
        }
        finally
        {
            door.Leave(address);
        }
    }
}
