using System.IO.Pipelines;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Problems;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Grpc;

/// <summary>
/// Waits for a call's whole message before the overload guard is asked: the time it takes to arrive is its client's, and must neither fill the guard's lanes nor count as ours.
/// The server's own limit, a rate of bytes, would end the connection with all its calls, and looks at all of them together; this one ends the call.
/// </summary>
internal sealed class GrpcMessageWait(RequestDelegate next, IOptions<GrpcOptions> options)
{
    /// <summary>The longest message.</summary>
    public const int MessageByteLimit = HeartReads.BatchBodyByteLimit;

    // Before each message: whether it is packed, and its length.
    private const int FrameHeaderBytes = 5;

    public async Task InvokeAsync(HttpContext context)
    {
        if (!GrpcRoutes.IsHearts(context.Request.Path))
        {
            await next(context);
            return;
        }

        context.Features.Get<IHttpMinRequestBodyDataRateFeature>()?.MinDataRate = null;
        CancellationTokenSource? limit = null;
        try
        {
            // What is there already needs no clock.
            if (!TryRead(context, out var isTooLong)) isTooLong = await ReadAsync(context, limit = Limit(context));
            if (isTooLong)
            {
                await context.WriteProblemAsync(Problem.BodyTooLarge, $"A message may be at most {MessageByteLimit} bytes.");
                return;
            }
        }
        catch (OperationCanceledException) when (limit is { IsCancellationRequested: true } && !context.RequestAborted.IsCancellationRequested)
        {
            await context.WriteProblemAsync(Problem.RequestTimeout, "Nothing was done: the message did not arrive in time.");
            return;
        }
        finally
        {
            limit?.Dispose();
        }

        await next(context);
    }

    private CancellationTokenSource Limit(HttpContext context)
    {
        var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        limit.CancelAfter(options.Value.MessageTimeout);
        return limit;
    }

    /// <summary>Whether it is known by what has arrived; takes nothing of it: the framework reads it again.</summary>
    private static bool TryRead(HttpContext context, out bool isTooLong)
    {
        isTooLong = false;
        var reader = context.Request.BodyReader;
        return reader.TryRead(out var read) && IsKnown(reader, read, out isTooLong);
    }

    private static async ValueTask<bool> ReadAsync(HttpContext context, CancellationTokenSource limit)
    {
        var reader = context.Request.BodyReader;
        while (true)
            if (IsKnown(reader, await reader.ReadAsync(limit.Token), out var isTooLong))
                return isTooLong;
    }

    private static bool IsKnown(PipeReader reader, ReadResult read, out bool isTooLong)
    {
        isTooLong = read.Buffer.Length > MessageByteLimit + FrameHeaderBytes;
        var isKnown = isTooLong || read.IsCompleted;
        reader.AdvanceTo(read.Buffer.Start, isKnown ? read.Buffer.Start : read.Buffer.End);
        return isKnown;
    }
}
