using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Operations;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.Moderation;
using HeartGrains.Webhooks;

namespace HeartGrains.Gateway.Webhooks;

/// <summary>Webhooks for operators: how each endpoint stands, its dead letters, and another try for them.</summary>
internal sealed class WebhookEndpoints(GrainCalls calls, OperatorDoor door)
{
    public const int BodyByteLimit = 8 * 1024;
    public const int DeadLimit = 100;
    private const string Route = "/api/v1/admin/webhooks";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var endpoints = ActivatorUtilities.CreateInstance<WebhookEndpoints>(routes.ServiceProvider);
        routes.MapOperators(HttpMethods.Get, Route, endpoints.ReadAsync, "webhooks", WebhookOperations.Read);
        routes.MapOperators(HttpMethods.Post, Route + "/resend", endpoints.ResendAsync, "webhooks", WebhookOperations.Resend);
    }

    /// <summary><c>GET /admin/webhooks</c></summary>
    private async Task ReadAsync(HttpContext context)
    {
        if (await door.LetInAsync(context) is null) return;
        if (HeartQuery.Parse(context.Request.QueryString.Value ?? "", QueryParameters.None).Rejection is { } rejection)
        {
            await context.WriteProblemAsync(rejection);
            return;
        }

        if (await ListAsync(context) is not { } names) return;
        var views = new List<WebhookView>();
        foreach (var name in names)
        {
            var read = new WebhookRead(name.Name, DeadLimit) { RequestAborted = context.RequestAborted };
            if (await IsFailedAsync(context, read)) return;
            var (standing, dead) = read.Value;
            views.Add(new WebhookView(
                name.Name, name.Host, standing!.Pending, standing.Failing, standing.Dead, standing.LastError,
                Array.ConvertAll(dead!, static letter => new DeadView(letter.TargetId, letter.Attempts, DateTimeOffset.UnixEpoch.AddMicroseconds(letter.SinceMicros), letter.Error))));
        }

        await context.Response.WriteAsJsonAsync(new WebhookList(views), WebhookJson.Default.WebhookList, cancellationToken: context.RequestAborted);
    }

    /// <summary><c>POST /admin/webhooks/resend</c></summary>
    private async Task ResendAsync(HttpContext context)
    {
        if (await door.LetInAsync(context) is not { } origin) return;
        var body = await JsonBody.ReadAsync(context.Request, BodyByteLimit, Parse);
        if (body.Rejection is { } rejection)
        {
            await context.WriteProblemAsync(rejection);
            return;
        }

        var (endpoint, targetId) = (body.Value.Endpoint!, body.Value.TargetId);
        if (await ListAsync(context) is not { } names) return;
        if (!Array.Exists(names, name => name.Name == endpoint))
        {
            await context.WriteProblemAsync(Problem.NotFound, "There is no endpoint of that name.");
            return;
        }

        var note = DeskNote.Of("webhooks_resent") with { Subject = endpoint, TargetId = targetId };
        if (await IsFailedAsync(context, new NoteCall(note, origin) { RequestAborted = context.RequestAborted })) return;
        var resend = new WebhookResend(endpoint, targetId) { RequestAborted = context.RequestAborted };
        if (await IsFailedAsync(context, resend)) return;
        await context.Response.WriteAsJsonAsync(new Resent(endpoint, resend.Value!.Value), WebhookJson.Default.Resent, cancellationToken: context.RequestAborted);
    }

    private async ValueTask<WebhookName[]?> ListAsync(HttpContext context)
    {
        var listing = new WebhookListing { RequestAborted = context.RequestAborted };
        return await IsFailedAsync(context, listing) ? null : listing.Value;
    }

    private async ValueTask<bool> IsFailedAsync<T>(HttpContext context, GrainCall<T> call)
    {
        var status = await calls.CallAsync(call);
        if (status == CallStatus.Answered && call.Outcome == HeartOutcome.Committed) return false;
        await HeartRefusals.ReadFailedAsync(context, status, status == CallStatus.Answered ? call.Outcome : default, call.RetryAfterSeconds);
        return true;
    }

    private static Parsed<ResendBody> Parse(ReadOnlySpan<byte> json)
    {
        ResendBody? body;
        try
        {
            body = JsonSerializer.Deserialize(json, WebhookJson.Default.ResendBody);
        }
        catch (JsonException exception)
        {
            return new(null!, new Rejection(Problem.InvalidJson, "The body is not the JSON object that is wanted.")
                .Add(exception.Path is { Length: > 2 } path ? path[2..] : "body", "must be one JSON object with the fields endpoint and, if only one target is meant, target_id, each a string given once"));
        }

        var wrong = new Rejection(Problem.InvalidFields, "See errors for each field.");
        if (body?.Endpoint is null) wrong.Add("endpoint", "is missing");
        if (body?.TargetId is { } target && Identifier.Check(Encoding.UTF8.GetBytes(target), Identifier.TargetByteLimit, out _) is { } fault) wrong.Add("target_id", fault);
        return wrong.Errors.Count > 0 ? new(null!, wrong) : new(body!, null);
    }
}

/// <summary>The body of <c>POST /admin/webhooks/resend</c>.</summary>
internal sealed record ResendBody(string? Endpoint = null, string? TargetId = null);

/// <summary>What became of it.</summary>
internal sealed record Resent(string Endpoint, int Targets);

/// <summary>All endpoints.</summary>
internal sealed record WebhookList(IReadOnlyList<WebhookView> Endpoints);

/// <summary>An endpoint as it is shown.</summary>
internal sealed record WebhookView(string Name, string Host, long Pending, long Failing, long Dead, string? LastError, DeadView[] DeadLetters);

/// <summary>A dead letter as it is shown.</summary>
internal sealed record DeadView(string TargetId, int Attempts, DateTimeOffset Since, string Error);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(WebhookList))]
[JsonSerializable(typeof(ResendBody))]
[JsonSerializable(typeof(Resent))]
internal sealed partial class WebhookJson : JsonSerializerContext;

/// <summary>Maps the routes of webhooks.</summary>
internal static class WebhookRoutes
{
    public static void MapWebhooks(this IEndpointRouteBuilder routes) => WebhookEndpoints.Map(routes);
}
