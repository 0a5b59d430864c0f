using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace HeartGrains.Gateway.Problems;

/// <summary>The one place that tells problems: as <c>application/problem+json</c> (RFC 9457), unless the request's endpoint or interface wants them otherwise.</summary>
public static class ProblemWriter
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Answers with a problem, and says when to come back if <paramref name="retryAfterSeconds"/> is given.</summary>
    /// <param name="context">The request.</param>
    /// <param name="problem">The kind.</param>
    /// <param name="detail">This occurrence.</param>
    /// <param name="retryAfterSeconds">Seconds; at least 1 is sent.</param>
    /// <param name="violatedPolicies">Names of the quotas that refused (draft-ietf-httpapi-ratelimit-headers).</param>
    public static Task WriteProblemAsync(
        this HttpContext context, Problem problem, string detail, int? retryAfterSeconds = null, IReadOnlyList<string>? violatedPolicies = null)
    {
        if (retryAfterSeconds is { } seconds) context.Response.Headers.RetryAfter = Math.Max(1, seconds).ToString();
        return WriteAsync(context, problem, detail, [], violatedPolicies ?? []);
    }

    /// <summary>Answers with the problem of a refused request.</summary>
    public static Task WriteProblemAsync(this HttpContext context, Rejection rejection) =>
        WriteAsync(context, rejection.Problem, rejection.Detail, rejection.Errors, [], rejection.Until);

    private static Task WriteAsync(
        HttpContext context,
        Problem problem,
        string detail,
        IReadOnlyList<(string Field, string Message)> errors,
        IReadOnlyList<string> violatedPolicies,
        string? until = null) =>
        context.Features.Get<IProblemTeller>() is { } teller
            ? teller.TellAsync(context, problem, detail, errors, violatedPolicies)
            : WriteAsync(
                context,
                problem,
                errors.Count == 0 ? detail : string.Join("; ", errors.Select(static error => $"{error.Field} {error.Message}")),
                Render(problem, detail, errors, violatedPolicies, until).WrittenSpan);

    internal static ArrayBufferWriter<byte> Render(
        Problem problem, string detail, IReadOnlyList<(string Field, string Message)> errors, IReadOnlyList<string> violatedPolicies, string? until = null)
    {
        var body = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(body, Options))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, problem.Type);
            json.WriteString("title"u8, problem.Title);
            json.WriteNumber("status"u8, problem.Status);
            json.WriteString("detail"u8, detail);
            json.WriteString("code"u8, problem.Code);
            if (errors.Count > 0) WriteErrors(json, errors);
            if (until is not null) json.WriteString("until"u8, until);
            if (violatedPolicies.Count > 0) WriteNames(json, "violated-policies"u8, violatedPolicies);
            json.WriteEndObject();
        }

        return body;
    }

    /// <summary>Answers with the document, or with a page where one is wanted.</summary>
    internal static Task WriteAsync(HttpContext context, Problem problem, string text, ReadOnlySpan<byte> body)
    {
        // For the log line of the request.
        context.Features.Set(problem);
        var response = context.Response;
        response.StatusCode = problem.Status;
        response.Headers.CacheControl = "no-store";
        if (context.GetEndpoint()?.Metadata.GetMetadata<ProblemPage>() is { } page) return page.WriteAsync(context, problem, text);
        response.ContentType = "application/problem+json";
        response.ContentLength = body.Length;
        if (HttpMethods.IsHead(context.Request.Method)) return Task.CompletedTask;
        response.BodyWriter.Write(body);
        return Task.CompletedTask;
    }

    private static void WriteNames(Utf8JsonWriter json, ReadOnlySpan<byte> member, IReadOnlyList<string> names)
    {
        json.WriteStartArray(member);
        foreach (var name in names) json.WriteStringValue(name);
        json.WriteEndArray();
    }

    private static void WriteErrors(Utf8JsonWriter json, IReadOnlyList<(string Field, string Message)> errors)
    {
        json.WriteStartObject("errors"u8);
        foreach (var field in errors.GroupBy(static error => error.Field, static error => error.Message))
        {
            json.WriteStartArray(field.Key);
            foreach (var message in field) json.WriteStringValue(message);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }
}

/// <summary>A problem whose document is always the same, made once: for answers that must cost next to nothing.</summary>
internal sealed class RenderedProblem(Problem problem, string detail)
{
    private readonly byte[] _body = ProblemWriter.Render(problem, detail, [], []).WrittenSpan.ToArray();

    /// <summary>Answers with the problem.</summary>
    public Task WriteAsync(HttpContext context) => context.Features.Get<IProblemTeller>() is { } teller
        ? teller.TellAsync(context, problem, detail, [], [])
        : ProblemWriter.WriteAsync(context, problem, detail, _body);
}
