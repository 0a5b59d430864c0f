using System.Collections.Concurrent;
using HeartGrains.Diagnostics;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Diagnostics;

/// <summary>
/// One line for each request that was refused or failed, and at most <see cref="LinesASecond"/> of a kind: a flood must not become a flood of
/// lines. No user, target or address is in them; the request id is what the client can be asked for.
/// </summary>
internal sealed partial class RequestLog(TimeProvider time, ILogger<RequestLog> logger)
{
    private const int LinesASecond = 10;
    private const int ClientClosedRequest = 499;
    private readonly ConcurrentDictionary<string, Throttle> _throttles = new(StringComparer.Ordinal);

    /// <summary>Answered with a status that is no success. One that failed by an exception has its line already.</summary>
    public void Refused(HttpContext context, int status, TimeSpan elapsed)
    {
        if (status is ClientClosedRequest or StatusCodes.Status500InternalServerError) return;
        var level = status < StatusCodes.Status500InternalServerError ? LogLevel.Information : LogLevel.Warning;
        if (!logger.IsEnabled(level)) return;
        var code = context.Features.Get<Problem>()?.Code ?? "none";
        if (TryPass(code, out var skipped))
            Log.Refused(logger, level, MethodOf(context), RouteOf(context), status, code, elapsed.TotalMilliseconds, context.TraceIdentifier, skipped);
    }

    /// <summary>Failed by a defect of ours.</summary>
    public void Failed(HttpContext context, Exception exception)
    {
        if (TryPass(Problem.InternalError.Code, out var skipped))
            Log.Failed(logger, exception, MethodOf(context), RouteOf(context), context.TraceIdentifier, skipped);
    }

    private bool TryPass(string kind, out int skipped)
    {
        var throttle = _throttles.GetOrAdd(kind, static (_, frequency) => new Throttle(frequency, LinesASecond), time.TimestampFrequency);
        var passes = throttle.TryPass(time.GetTimestamp(), out var count);
        skipped = count - 1;
        return passes;
    }

    // A client may name its method as it likes.
    private static string MethodOf(HttpContext context) => context.Request.Method is { Length: <= 8 } method ? method : "other";

    private static string RouteOf(HttpContext context) => context.GetEndpoint()?.DisplayName ?? "none";

    private static partial class Log
    {
        [LoggerMessage(EventId = 1, Message = "{Method} {Route} was answered with {Status} {Code} after {Milliseconds:0.0} ms. Request {RequestId}; {Skipped} more of this kind not told.",
            EventName = "RequestRefused")]
        public static partial void Refused(
            ILogger logger, LogLevel level, string method, string route, int status, string code, double milliseconds, string requestId, int skipped);

        [LoggerMessage(2, LogLevel.Error, "{Method} {Route} failed. Request {RequestId}; {Skipped} more of this kind not told.", EventName = "RequestFailed")]
        public static partial void Failed(ILogger logger, Exception exception, string method, string route, string requestId, int skipped);
    }
}
