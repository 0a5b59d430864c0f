using System.Buffers;
using System.IO.Pipelines;
using HeartGrains.Gateway.Problems;
using Microsoft.Net.Http.Headers;

namespace HeartGrains.Gateway.Hearts;

/// <summary>Parses a whole body.</summary>
internal delegate Parsed<T> BodyParser<T>(ReadOnlySpan<byte> json);

/// <summary>
/// Reads a bounded JSON body, of a request with no query. A small one arrives with its headers, so the common path is synchronous and copies nothing.
/// </summary>
internal static class JsonBody
{
    public static ValueTask<Parsed<T>> ReadAsync<T>(HttpRequest request, int byteLimit, BodyParser<T> parse)
    {
        if (request.QueryString.HasValue && HeartQuery.Parse(request.QueryString.Value, QueryParameters.None).Rejection is { } unknown)
            return new(new Parsed<T>(default!, unknown));
        if (!IsJson(request))
            return new(new Parsed<T>(default!, new Rejection(Problem.UnsupportedMediaType, "Send Content-Type: application/json, in UTF-8 and not compressed.")));
        if (request.ContentLength > byteLimit) return new(TooLarge<T>(byteLimit));

        var reader = request.BodyReader;

        // Without RequestAborted: the server fails the read itself when the client goes, and a cancelled one would leave the reader in use.
        var pending = reader.ReadAsync();
        if (!pending.IsCompletedSuccessfully) return ReadRestAsync(request, pending, byteLimit, parse);

        var read = pending.Result;
        return IsWhole(read, request.ContentLength)
            ? new(Finish(reader, read.Buffer, byteLimit, parse))
            : ReadRestAsync(request, new(read), byteLimit, parse);
    }

    private static async ValueTask<Parsed<T>> ReadRestAsync<T>(HttpRequest request, ValueTask<ReadResult> pending, int byteLimit, BodyParser<T> parse) =>
        await BoundedBody.ReadAsync(request, byteLimit, pending) is { } body ? parse(body.WrittenSpan) : TooLarge<T>(byteLimit);

    private static bool IsWhole(in ReadResult read, long? contentLength) =>
        read.Buffer.IsSingleSegment && (read.IsCompleted || read.Buffer.Length >= (contentLength ?? long.MaxValue));

    private static Parsed<T> Finish<T>(PipeReader reader, in ReadOnlySequence<byte> body, int byteLimit, BodyParser<T> parse)
    {
        var parsed = body.Length > byteLimit ? TooLarge<T>(byteLimit) : parse(body.FirstSpan);
        reader.AdvanceTo(body.End);
        return parsed;
    }

    private static Parsed<T> TooLarge<T>(int byteLimit) =>
        new(default!, new Rejection(Problem.BodyTooLarge, $"The body may be at most {byteLimit} bytes."));

    private static bool IsJson(HttpRequest request)
    {
        var headers = request.Headers;
        if (headers.ContentEncoding.Count > 0) return false;

        var given = headers.ContentType;
        if (given.Count != 1) return false;
        return given[0] == "application/json"
            || (MediaTypeHeaderValue.TryParse(given[0], out var type)
                && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
                && (!type.Charset.HasValue || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase)));
    }
}
