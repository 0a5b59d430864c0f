using System.Globalization;
using Grpc.Core;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.Problems;
using Microsoft.AspNetCore.Http.Features;

namespace HeartGrains.Gateway.Grpc;

/// <summary>
/// Everything on the gRPC port that is no answer of a method is told as gRPC tells it: problems of limits before the method, and what the framework itself refuses, which
/// would say neither why nor, of a broken message, whose fault it is.
/// </summary>
internal sealed class GrpcAnswers(RequestDelegate next) : IProblemTeller
{
    private const string ContentType = "application/grpc";
    private const string PackedDetail = "Packed messages are not taken: use the encoding identity.";

    /// <summary>How a call was answered, as a status of HTTP; of one that has lasted, 101.</summary>
    public static int StatusOf(HttpContext context)
    {
        if (context.Features.Get<Problem>() is { } problem) return problem.Status;
        if (context.Response.StatusCode != StatusCodes.Status200OK) return context.Response.StatusCode;
        if (context.GetEndpoint()?.Metadata.GetMetadata<NeverRefused>() is not null) return StatusCodes.Status101SwitchingProtocols;
        return CodeOf(context) is { } code ? GrpcCodes.HttpStatusOf(code) : GrpcCodes.HttpStatusOf(StatusCode.Cancelled);
    }

    public async Task InvokeAsync(HttpContext context)
    {
        if (!IsGrpc(context.Request))
        {
            await context.WriteProblemAsync(Problem.UnsupportedMediaType, "This port speaks gRPC: POST with Content-Type: application/grpc. HTTP has a port of its own.");
            return;
        }

        KnowReaders(context.Request.Headers);
        context.Features.Set<IProblemTeller>(this);
        if (IsPacked(context.Request.Headers)) await context.WriteProblemAsync(Problem.UnsupportedMediaType, PackedDetail);
        else await next(context);
        if (context.Response.HasStarted) return;
        if (context.Features.Get<GrpcTold>() is null) await TellForFrameworkAsync(context);
        if (!context.Response.Headers.ContainsKey(GrpcTold.DetailsHeader)) context.Features.Get<GrpcTold>()?.Write(context.Response);
    }

    /// <inheritdoc/>
    public Task TellAsync(
        HttpContext context, Problem problem, string detail, IReadOnlyList<(string Field, string Message)> errors, IReadOnlyList<string> violatedPolicies, string? until)
    {
        context.Features.Set(problem);
        context.Features.Set(new GrpcTold(problem, detail, errors, violatedPolicies, context.Response.Headers.RetryAfter, until));
        return Task.CompletedTask;
    }

    private static bool IsGrpc(HttpRequest request) =>
        HttpMethods.IsPost(request.Method)
        && request.ContentType is { } type && type.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase)
        && (type.Length == ContentType.Length || type[ContentType.Length] is '+' or ';');

    /// <summary>Nothing bounds what a packed message unpacks to, and ours have little to pack. Without this header the framework unpacks nothing.</summary>
    private static bool IsPacked(IHeaderDictionary headers) => headers["grpc-encoding"] is { Count: > 0 } encoding && encoding.ToString() != "identity";

    /// <summary>A client of gRPC keeps no cookies: a new reader's token comes back in the metadata <c>heart-reader</c>.</summary>
    private static void KnowReaders(IHeaderDictionary headers)
    {
        headers.Remove("Cookie");
        if (!headers.ContainsKey(Readers.Header)) headers[Readers.Header] = "";
    }

    private static StatusCode? CodeOf(HttpContext context)
    {
        var told = context.Response.Headers[GrpcTold.StatusHeader];
        if (told.Count == 0 && context.Features.Get<IHttpResponseTrailersFeature>() is { } trailers) told = trailers.Trailers[GrpcTold.StatusHeader];
        return int.TryParse(told.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var code) ? (StatusCode)code : null;
    }

    // Whatever a method throws has been told by then, so what is left concerns the message and how it is packed.
    private static Task TellForFrameworkAsync(HttpContext context) => CodeOf(context) switch
    {
        StatusCode.Internal or StatusCode.Unknown => context.WriteProblemAsync(
            new Rejection(Problem.BadRequest, "The message cannot be read.").Add("message", "must be one whole message of the method's type")),
        StatusCode.Unimplemented => context.WriteProblemAsync(Problem.UnsupportedMediaType, PackedDetail),
        StatusCode.ResourceExhausted => context.WriteProblemAsync(Problem.BodyTooLarge, $"A message may be at most {GrpcMessageWait.MessageByteLimit} bytes."),
        _ => Task.CompletedTask,
    };
}
