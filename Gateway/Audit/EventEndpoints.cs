using System.Buffers;
using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Operations;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Audit;

/// <summary>The log for operators and for services that live on it: page by page, or as a stream to its end.</summary>
internal sealed class EventEndpoints(GrainCalls calls, OperatorDoor door, TimeProvider time)
{
    private const string Lines = "application/x-ndjson";
    private const int StreamPage = 500;
    private static readonly TimeSpan LookPeriod = TimeSpan.FromMilliseconds(250);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var endpoints = ActivatorUtilities.CreateInstance<EventEndpoints>(routes.ServiceProvider);
        routes.MapOperators(HttpMethods.Get, "/api/v1/events", endpoints.ReadAsync, "events", AuditOperations.Events);
    }

    /// <summary><c>GET /events</c></summary>
    private async Task ReadAsync(HttpContext context)
    {
        if (await door.LetInAsync(context) is null) return;
        var parsed = EventQuery.Parse(context.Request.QueryString.Value ?? "");
        if (parsed.Rejection is { } rejection)
        {
            await context.WriteProblemAsync(rejection);
            return;
        }

        await (WantsLines(context.Request) ? StreamAsync(context, parsed.Value) : PageAsync(context, parsed.Value));
    }

    private async Task PageAsync(HttpContext context, EventQuery query)
    {
        var started = time.GetTimestamp();
        var call = await CallAsync(context, query, query.After, query.Limit);
        while (IsGood(call) && call.Value.Events.Length == 0 && time.GetElapsedTime(started).TotalSeconds < query.WaitSeconds)
        {
            await Task.Delay(LookPeriod, time, context.RequestAborted);
            call = await CallAsync(context, query, query.After, query.Limit);
        }

        if (!IsGood(call))
        {
            await FailAsync(context, call);
            return;
        }

        var body = new ArrayBufferWriter<byte>(64 * 1024);
        using (var json = new Utf8JsonWriter(body, EventWriter.Options))
        {
            json.WriteStartObject();
            json.WriteStartArray("events"u8);
            foreach (var told in call.Value.Events) EventWriter.Write(json, told);
            json.WriteEndArray();
            json.WriteString("next"u8, EventCursor.Encode(PlaceAfter(query.After, call.Value)));
            json.WriteBoolean("more"u8, call.Value.HasMore);
            json.WriteEndObject();
        }

        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.WrittenCount;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.BodyWriter.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }

    /// <summary>A line an event, and one more, which tells where to go on. A page is written and gone before the next is read.</summary>
    private async Task StreamAsync(HttpContext context, EventQuery query)
    {
        var after = query.After;
        var call = await CallAsync(context, query, after, StreamPage);
        if (!IsGood(call))
        {
            await FailAsync(context, call);
            return;
        }

        context.Response.ContentType = Lines;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        var output = context.Response.BodyWriter;
        using var json = new Utf8JsonWriter(output, EventWriter.Options);
        while (true)
        {
            foreach (var told in call.Value.Events)
            {
                EventWriter.Write(json, told);
                EndLine();
            }

            after = PlaceAfter(after, call.Value);
            if ((await output.FlushAsync(context.RequestAborted)).IsCompleted || context.RequestAborted.IsCancellationRequested) return;
            if (!call.Value.HasMore) break;
            call = await CallAsync(context, query, after, StreamPage);
            if (!IsGood(call)) break;
        }

        json.WriteStartObject();
        json.WriteString("next"u8, EventCursor.Encode(after));

        // What was sent is right; it only ends early.
        if (!IsGood(call)) json.WriteString("code"u8, Problem.Unavailable.Code);
        json.WriteEndObject();
        EndLine();
        await output.FlushAsync(context.RequestAborted);

        void EndLine()
        {
            json.Flush();
            output.Write("\n"u8);
            json.Reset();
        }
    }

    private async Task<EventCall> CallAsync(HttpContext context, EventQuery query, EventPosition after, int limit)
    {
        var read = new EventRead(new EventRequest(after, limit, query.TargetId, query.UserId)) { RequestAborted = context.RequestAborted };
        return new EventCall(read, await calls.CallAsync(read));
    }

    private static bool IsGood(in EventCall call) => call.Status == CallStatus.Answered && call.Read.Outcome == HeartOutcome.Committed;

    private static Task FailAsync(HttpContext context, in EventCall call) =>
        HeartRefusals.ReadFailedAsync(context, call.Status, call.Status == CallStatus.Answered ? call.Read.Outcome : default, call.Read.RetryAfterSeconds);

    private static EventPosition PlaceAfter(EventPosition before, EventPage page) => page.Events.Length == 0 ? before : page.Events[^1].Position;

    private static bool WantsLines(HttpRequest request)
    {
        foreach (var accepted in request.GetTypedHeaders().Accept)
            if (accepted.MediaType.Equals(Lines, StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }

    private readonly record struct EventCall(EventRead Read, CallStatus Status)
    {
        public EventPage Value => Read.Value;
    }
}
