using System.Buffers;
using System.Text;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Problems;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Buttons;

/// <summary>How calls of buttons made elsewhere are read and answered.</summary>
internal static class ButtonCalls
{
    /// <summary>Says why a call was refused that has to be answered as if it had not been: the code of a problem.</summary>
    private const string ProblemHeader = "Heart-Problem";

    /// <summary>Opens the answer to pages of every origin, without their cookies.</summary>
    public static void OpenToEverybody(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.AccessControlAllowOrigin = "*";
        headers.AccessControlAllowMethods = "GET,POST";
        headers.AccessControlAllowHeaders = "Content-Type";
        headers.AccessControlMaxAge = "86400";
        headers.CacheControl = "no-cache";
    }

    /// <summary>Answers in plain text.</summary>
    public static Task TextAsync(HttpContext context, int status, string text) =>
        SendAsync(context, status, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text + "\n"));

    /// <summary>Answers with a problem said in plain text.</summary>
    public static Task RefuseAsync(HttpContext context, Problem problem, string detail, bool mayComeBack = false)
    {
        Name(context, problem);
        if (mayComeBack) context.Response.Headers.RetryAfter = "1";
        return TextAsync(context, problem.Status, detail);
    }

    /// <summary>Answers with a whole body.</summary>
    public static Task SendAsync(HttpContext context, int status, string contentType, ReadOnlySpan<byte> body)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) response.BodyWriter.Write(body);
        return Task.CompletedTask;
    }

    /// <summary>Names the problem for the log and for whoever looks at the answer's headers.</summary>
    public static void Name(HttpContext context, Problem problem)
    {
        context.Features.Set(problem);
        context.Response.Headers[ProblemHeader] = problem.Code;
        context.Response.Headers.CacheControl = "no-store";
    }

    /// <summary>Whether the path's name of a site is one: a host, perhaps with a port.</summary>
    public static bool IsSite(ReadOnlySpan<char> site)
    {
        if (site.IsEmpty) return false;
        foreach (var letter in site)
            if (!char.IsLetterOrDigit(letter) && letter is not ('.' or '-' or '_' or ':')) return false;
        return true;
    }

    /// <summary>The problem that a result stands for; null for those that are none.</summary>
    public static Problem? ProblemOf(HeartResult result) => result switch
    {
        HeartResult.QuotaExceeded => Problem.QuotaExceeded,
        HeartResult.QuotaUnavailable => Problem.QuotaUnavailable,
        HeartResult.Unavailable => Problem.Unavailable,
        HeartResult.Paused => Problem.TemporaryReducedCapacity,
        HeartResult.QueueFull => Problem.QueueFull,
        HeartResult.LedgerUnavailable => Problem.LedgerUnavailable,
        HeartResult.Frozen => Problem.TargetFrozen,
        HeartResult.Blocked => Problem.UserBlocked,
        HeartResult.Conflict => Problem.ConflictRetry,
        HeartResult.Unknown => Problem.OutcomeUnknown,
        _ => null,
    };

    /// <summary>The total a button shows: what was counted elsewhere before, and hearts.</summary>
    public static long TotalOf(in HeartState state) => state.Opening + state.Count;
}
