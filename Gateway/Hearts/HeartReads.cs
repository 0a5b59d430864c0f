using System.Globalization;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;

namespace HeartGrains.Gateway.Hearts;

/// <summary>Counts, one target at a time or many: parse, settle who asks, read, answer.</summary>
internal sealed class HeartReads
{
    /// <summary>Room for a hundred identifiers of 256 bytes, each byte of them escaped.</summary>
    public const int BatchBodyByteLimit = 160 * 1024;

    private readonly HeartReading _reading;
    private readonly HeartPast _past;
    private readonly Callers _callers;
    private readonly TimeProvider _time;
    private readonly ReadAnswer _answer;
    private readonly BatchAnswer _batchAnswer;

    public HeartReads(HeartReading reading, GrainCalls calls, Callers callers, TimeProvider time)
    {
        (_reading, _callers, _time) = (reading, callers, time);
        _past = new HeartPast(calls, callers, time);
        (_answer, _batchAnswer) = (AnswerAsync, AnswerAsync);
    }

    /// <summary><c>GET /hearts</c></summary>
    public Task ReadAsync(HttpContext context)
    {
        var query = HeartQuery.Parse(context.Request.QueryString.Value ?? "", QueryParameters.TargetId, QueryParameters.UserId | QueryParameters.AsOf);
        if (query.Rejection is { } rejection) return context.WriteProblemAsync(rejection);
        if (query.Value.AsOf is { } asOf) return _past.ReadAsync(context, query.Value.TargetId!, query.Value.UserId, asOf);
        var caller = _callers.IdentifyForRead(context, query.Value.UserId, Problem.InvalidQuery);
        return caller.Refusal is null
            ? _reading.ReadAsync(context, query.Value.TargetId!, caller.UserId, IsSelf(caller, query.Value.UserId), _answer)
            : caller.RefuseAsync(context);
    }

    /// <summary><c>POST /hearts/query</c></summary>
    public Task ReadBatchAsync(HttpContext context)
    {
        var body = JsonBody.ReadAsync(context.Request, BatchBodyByteLimit, HeartBody.ParseBatch);
        return body.IsCompletedSuccessfully ? ReadBatchAsync(context, body.Result) : AwaitBodyAsync(context, body);
    }

    private async Task AwaitBodyAsync(HttpContext context, ValueTask<Parsed<HeartBatchRequest>> body) => await ReadBatchAsync(context, await body);

    private Task ReadBatchAsync(HttpContext context, in Parsed<HeartBatchRequest> body)
    {
        if (body.Rejection is { } rejection) return context.WriteProblemAsync(rejection);
        var caller = _callers.IdentifyForRead(context, body.Value.UserId, Problem.InvalidFields);
        return caller.Refusal is null
            ? _reading.ReadBatchAsync(context, body.Value.TargetIds, caller.UserId, IsSelf(caller, body.Value.UserId), _batchAnswer)
            : caller.RefuseAsync(context);
    }

    private static bool IsSelf(in Caller caller, string? userId) => userId is null && caller.UserId is not null;

    private Task AnswerAsync(HttpContext context, string targetId, bool isSelf, in TargetRead result)
    {
        if (result.Refusal is { } refusal) return refusal.WriteAsync(context);
        var headers = context.Response.Headers;
        if (result.AsOf > 0)
        {
            SetAge(context, result.AsOf);
        }
        else if (isSelf)
        {
            // The version does not tell one caller's answer from another's.
            headers.CacheControl = "no-store";
        }
        else
        {
            headers.ETag = EntityTag.Of(result.State.Version, result.State.Opening);
            headers.CacheControl = "no-cache";
            if (EntityTag.Matches(context.Request.Headers.IfNoneMatch, result.State.Version, result.State.Opening))
            {
                context.Response.StatusCode = StatusCodes.Status304NotModified;
                return Task.CompletedTask;
            }
        }

        var json = HeartJson.Start();
        Write(json, targetId, result);
        return json.SendAsync(context, StatusCodes.Status200OK);
    }

    private Task AnswerAsync(HttpContext context, string[] targets, bool isSelf, in TargetReads result)
    {
        if (isSelf) context.Response.Headers.CacheControl = "no-store";
        if (result.Refusal is { } refusal) return refusal.WriteAsync(context);
        if (result.AsOf is var asOf and > 0) SetAge(context, asOf);
        var json = HeartJson.Start().Raw("{\"hearts\":["u8);
        for (var index = 0; index < targets.Length; index++)
        {
            if (index > 0) json.Raw(","u8);
            Write(json, targets[index], result[index]);
        }

        return json.Raw("]}"u8).SendAsync(context, StatusCodes.Status200OK);
    }

    /// <summary><c>Age</c> in whole seconds (RFC 9111): of several, the oldest's.</summary>
    private void SetAge(HttpContext context, long asOf)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Age = (Math.Max(0, _time.GetUtcNow().Ticks - asOf) / TimeSpan.TicksPerSecond).ToString(CultureInfo.InvariantCulture);
    }

    private static void Write(HeartJson json, string targetId, in TargetRead result)
    {
        var state = result.State;
        json.Raw("{\"target_id\":"u8).Text(targetId)
            .Raw(",\"count\":"u8).Number(state.Count)
            .Raw(",\"version\":"u8).Number(state.Version);
        if (state.Opening > 0) json.Raw(",\"opening\":"u8).Number(state.Opening);
        if (state.Hearted is { } hearted) json.Raw(",\"hearted\":"u8).Flag(hearted);
        if (result.AsOf > 0) json.Raw(",\"stale\":true,\"as_of\":"u8).Timestamp((result.AsOf - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond);
        json.Raw("}"u8);
    }
}
