using System.Buffers;
using System.IO.Pipelines;
using HeartGrains.Gateway.Overload;

namespace HeartGrains.Gateway.Hearts;

/// <summary>Reads a request's body that arrives in pieces.</summary>
internal static class BoundedBody
{
    /// <summary>A whole body of at most so many bytes; null when there are more. The time it takes to arrive is not counted as the gateway's.</summary>
    public static ValueTask<ArrayBufferWriter<byte>?> ReadAsync(HttpRequest request, int byteLimit) =>
        // Without RequestAborted: the server fails the read itself when the client goes, and a cancelled one would leave the reader in use.
        ReadAsync(request, byteLimit, request.BodyReader.ReadAsync());

    /// <summary>The same, when the first read has begun.</summary>
    public static async ValueTask<ArrayBufferWriter<byte>?> ReadAsync(HttpRequest request, int byteLimit, ValueTask<ReadResult> pending)
    {
        using var wait = LaneWait.Begin(request.HttpContext);
        var reader = request.BodyReader;
        var body = new ArrayBufferWriter<byte>();
        while (true)
        {
            var read = await pending;
            var length = body.WrittenCount + read.Buffer.Length;
            if (length <= byteLimit)
                foreach (var piece in read.Buffer) body.Write(piece.Span);

            // Taken, not only looked at: Kestrel cannot end the read of bytes left here when the client hangs up, and logs a stack trace.
            reader.AdvanceTo(read.Buffer.End);
            if (length > byteLimit) return null;
            if (read.IsCompleted || length == request.ContentLength) return body;
            pending = reader.ReadAsync();
        }
    }
}
