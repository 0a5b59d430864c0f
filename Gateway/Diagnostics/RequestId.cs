using System.Buffers;
using System.Diagnostics;
using Microsoft.Extensions.Primitives;

namespace HeartGrains.Gateway.Diagnostics;

/// <summary>
/// What a request is called in logs and in its answer: the client's <c>X-Request-Id</c>, else the trace id of its <c>traceparent</c> (W3C Trace
/// Context) or of the trace begun here, else the server's own.
/// </summary>
internal static class RequestId
{
    /// <summary>The header that brings it and takes it back.</summary>
    public const string Header = "X-Request-Id";

    private const int LengthLimit = 128;
    private const int TraceIdStart = 3;
    private const int TraceIdLength = 32;

    // What cannot break a log line or a header, whoever prints it. An id of other characters is not taken over.
    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/+=@");

    /// <summary>Names the request, and its answer.</summary>
    public static void Accept(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (Sent(headers[Header]) is { } sent) context.TraceIdentifier = sent;
        else if (Activity.Current is { } trace) context.TraceIdentifier = trace.TraceId.ToHexString();
        else if (TraceId(headers.TraceParent) is { } traceId) context.TraceIdentifier = traceId;
        Write(context);
    }

    /// <summary>Puts it into the answer, again where the answer's headers were cleared.</summary>
    public static void Write(HttpContext context) => context.Response.Headers[Header] = context.TraceIdentifier;

    private static string? Sent(in StringValues header) =>
        header is [{ Length: > 0 and <= LengthLimit } id] && !id.AsSpan().ContainsAnyExcept(Allowed) ? id : null;

    private static string? TraceId(in StringValues header) =>
        header is [{ } parent] && ActivityContext.TryParse(parent, null, out _) ? parent.Substring(TraceIdStart, TraceIdLength) : null;
}
