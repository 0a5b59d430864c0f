using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Hearts;

/// <summary>Counts, one target at a time or many.</summary>
internal sealed class HeartReads(GrainCalls calls)
{
    /// <summary>Room for a hundred identifiers of 256 bytes, each byte of them escaped.</summary>
    public const int BatchBodyByteLimit = 160 * 1024;

    /// <summary><c>GET /hearts</c></summary>
    public Task ReadAsync(HttpContext context)
    {
        var query = HeartQuery.Parse(context.Request.QueryString.Value ?? "", QueryParameters.TargetId, QueryParameters.UserId);
        return query.Rejection is { } rejection
            ? context.WriteProblemAsync(rejection)
            : ReadAsync(context, query.Value.TargetId!, query.Value.UserId);
    }

    /// <summary><c>POST /hearts/query</c></summary>
    public async Task ReadBatchAsync(HttpContext context)
    {
        var body = await JsonBody.ReadAsync(context.Request, BatchBodyByteLimit, HeartBody.ParseBatch);
        if (body.Rejection is { } rejection)
        {
            await context.WriteProblemAsync(rejection);
            return;
        }

        var targets = body.Value.TargetIds;
        var call = new HeartBatchRead(targets, body.Value.UserId) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(call);
        if (status != CallStatus.Answered || call.Outcome != HeartOutcome.Committed)
        {
            await HeartRefusals.ReadFailedAsync(context, status, call.Value is null ? default : call.Outcome, call.RetryAfterSeconds);
            return;
        }

        var json = HeartJson.Start().Raw("{\"hearts\":["u8);
        for (var index = 0; index < targets.Length; index++)
        {
            if (index > 0) json.Raw(","u8);
            Write(json, targets[index], call.Value![index]);
        }

        await json.Raw("]}"u8).SendAsync(context, StatusCodes.Status200OK);
    }

    private async Task ReadAsync(HttpContext context, string targetId, string? userId)
    {
        var call = new HeartRead(targetId, userId) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(call);
        var state = call.Value;
        if (status != CallStatus.Answered || state.Outcome != HeartOutcome.Committed)
        {
            await HeartRefusals.ReadFailedAsync(context, status, state.Outcome, call.RetryAfterSeconds);
            return;
        }

        context.Response.Headers.ETag = EntityTag.Of(state.Version);
        context.Response.Headers.CacheControl = "no-cache";
        if (EntityTag.Matches(context.Request.Headers.IfNoneMatch, state.Version))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        var json = HeartJson.Start();
        Write(json, targetId, state);
        await json.SendAsync(context, StatusCodes.Status200OK);
    }

    private static void Write(HeartJson json, string targetId, in HeartState state)
    {
        json.Raw("{\"target_id\":"u8).Text(targetId)
            .Raw(",\"count\":"u8).Number(state.Count)
            .Raw(",\"version\":"u8).Number(state.Version);
        if (state.Hearted is { } hearted) json.Raw(",\"hearted\":"u8).Flag(hearted);
        json.Raw("}"u8);
    }
}
