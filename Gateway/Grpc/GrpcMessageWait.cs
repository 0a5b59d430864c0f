using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Grpc;

/// <summary>
/// Waits for a call's whole message before the overload guard is asked: the time it takes to arrive is its client's, and must neither fill the guard's lanes nor count as ours.
/// </summary>
internal sealed class GrpcMessageWait(RequestDelegate next)
{
    /// <summary>The longest message.</summary>
    public const int MessageByteLimit = HeartReads.BatchBodyByteLimit;

    // Before each message: whether it is packed, and its length.
    private const int FrameHeaderBytes = 5;

    public async Task InvokeAsync(HttpContext context)
    {
        if (GrpcRoutes.IsHearts(context.Request.Path) && !await IsThereAsync(context.Request, context.RequestAborted))
        {
            await context.WriteProblemAsync(Problem.BodyTooLarge, $"A message may be at most {MessageByteLimit} bytes.");
            return;
        }

        await next(context);
    }

    /// <summary>Takes nothing of it: the framework reads it again. False when it is too long.</summary>
    private static async ValueTask<bool> IsThereAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var reader = request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var isTooLong = read.Buffer.Length > MessageByteLimit + FrameHeaderBytes;
            if (isTooLong || read.IsCompleted)
            {
                reader.AdvanceTo(read.Buffer.Start);
                return !isTooLong;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
