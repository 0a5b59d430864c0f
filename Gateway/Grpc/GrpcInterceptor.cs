using Grpc.Core;
using Grpc.Core.Interceptors;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Grpc;

/// <summary>Around every method: its deadline ends the waits it makes, and a defect is logged and told like one of HTTP's.</summary>
internal sealed class GrpcInterceptor(RequestLog log) : Interceptor
{
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        Bound(context);
        try
        {
            return await continuation(request, context);
        }
        catch (Exception exception) when (exception is not RpcException)
        {
            throw await FailAsync(context, exception);
        }
    }

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        Bound(context);
        try
        {
            await continuation(request, responseStream, context);
        }
        catch (Exception exception) when (exception is not RpcException)
        {
            throw await FailAsync(context, exception);
        }
    }

    /// <summary>What waits for the request to be aborted waits for its deadline too.</summary>
    private static void Bound(ServerCallContext context)
    {
        if (context.Deadline != DateTime.MaxValue) context.GetHttpContext().RequestAborted = context.CancellationToken;
    }

    private async Task<RpcException> FailAsync(ServerCallContext context, Exception exception)
    {
        var http = context.GetHttpContext();
        return await http.RefusedAsync(refused =>
        {
            log.Failed(refused, exception);
            return refused.WriteProblemAsync(Problem.InternalError, "A defect of the service kept it from answering; it was logged.");
        });
    }
}

/// <summary>How methods refuse.</summary>
internal static class GrpcRefusals
{
    /// <summary>What to throw for a problem that <paramref name="tell"/> tells as it would over HTTP. Who is gone, or whose deadline has passed, is told nothing any more.</summary>
    public static async Task<RpcException> RefusedAsync(this HttpContext context, Func<HttpContext, Task> tell)
    {
        if (context.RequestAborted.IsCancellationRequested) return new RpcException(new Status(StatusCode.Cancelled, "The caller has stopped waiting."));
        await tell(context);
        return context.Told();
    }

    /// <summary>What to throw for the problem that was told.</summary>
    public static RpcException Told(this HttpContext context) =>
        context.Features.Get<GrpcTold>()?.ToException() ?? new RpcException(new Status(StatusCode.Cancelled, "The caller has stopped waiting."));
}
