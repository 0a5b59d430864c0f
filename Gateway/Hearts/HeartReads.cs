using System.Globalization;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Hearts;

/// <summary>
/// Counts, one target at a time or many. While silos answer badly or not at all, what this gateway last heard of a target is told instead, and said to be that.
/// </summary>
internal sealed class HeartReads(GrainCalls calls, Callers callers, LastKnown lastKnown, GatewayMetrics metrics, TimeProvider time)
{
    /// <summary>Room for a hundred identifiers of 256 bytes, each byte of them escaped.</summary>
    public const int BatchBodyByteLimit = 160 * 1024;

    private readonly HeartPast _past = new(calls, callers, time);

    /// <summary><c>GET /hearts</c></summary>
    public Task ReadAsync(HttpContext context)
    {
        var query = HeartQuery.Parse(context.Request.QueryString.Value ?? "", QueryParameters.TargetId, QueryParameters.UserId | QueryParameters.AsOf);
        return query.Rejection is { } rejection ? context.WriteProblemAsync(rejection)
            : query.Value.AsOf is { } asOf ? _past.ReadAsync(context, query.Value.TargetId!, query.Value.UserId, asOf)
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
        var caller = callers.IdentifyForRead(context, body.Value.UserId, Problem.InvalidFields);
        if (caller.Refusal is not null)
        {
            await caller.RefuseAsync(context);
            return;
        }

        // A reader who reloads a page asks above all whether the heart is still there, which no last state tells.
        var reader = body.Value.UserId is null ? caller.UserId : null;
        KnownHearts[] known;
        if (reader is null && calls.SparingAge is { } age && TryFind(targets, age, out known))
        {
            await StaleAsync(context, targets, known);
            return;
        }

        if (reader is not null) context.Response.Headers.CacheControl = "no-store";
        var call = new HeartBatchRead(targets, caller.UserId) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(call);
        if (status == CallStatus.Answered && call.Outcome == HeartOutcome.Committed)
        {
            for (var index = 0; index < targets.Length; index++) lastKnown.Note(targets[index], call.Value[index]);
            await FreshAsync(context, targets, call.Value);
        }
        else if (status != CallStatus.Aborted && TryFind(targets, TimeSpan.MaxValue, out known))
        {
            await StaleAsync(context, targets, known);
        }
        else
        {
            await HeartRefusals.ReadFailedAsync(context, status, call.Value is null ? default : call.Outcome, call.RetryAfterSeconds);
        }
    }

    private async Task ReadAsync(HttpContext context, string targetId, string? userId)
    {
        var caller = callers.IdentifyForRead(context, userId, Problem.InvalidQuery);
        if (caller.Refusal is not null)
        {
            await caller.RefuseAsync(context);
            return;
        }

        var reader = userId is null ? caller.UserId : null;
        KnownHearts known;
        if (reader is null && calls.SparingAge is { } age && lastKnown.TryFind(targetId, age, out known))
        {
            await StaleAsync(context, targetId, known);
            return;
        }

        var call = new HeartRead(targetId, caller.UserId) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(call);
        var state = call.Value;
        if (status != CallStatus.Answered || state.Outcome != HeartOutcome.Committed)
        {
            await (status != CallStatus.Aborted && lastKnown.TryFind(targetId, out known)
                ? StaleAsync(context, targetId, known)
                : HeartRefusals.ReadFailedAsync(context, status, state.Outcome, call.RetryAfterSeconds));
            return;
        }

        lastKnown.Note(targetId, state);
        if (reader is not null)
        {
            // The version does not tell one reader's answer from another's.
            context.Response.Headers.CacheControl = "no-store";
        }
        else
        {
            context.Response.Headers.ETag = EntityTag.Of(state.Version, state.Opening);
            context.Response.Headers.CacheControl = "no-cache";
            if (EntityTag.Matches(context.Request.Headers.IfNoneMatch, state.Version, state.Opening))
            {
                context.Response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }
        }

        var json = HeartJson.Start();
        Write(json, targetId, state);
        await json.SendAsync(context, StatusCodes.Status200OK);
    }

    private bool TryFind(string[] targets, TimeSpan age, out KnownHearts[] known)
    {
        known = new KnownHearts[targets.Length];
        for (var index = 0; index < targets.Length; index++)
            if (!lastKnown.TryFind(targets[index], age, out known[index])) return false;
        return true;
    }

    private static Task FreshAsync(HttpContext context, string[] targets, HeartState[] states)
    {
        var json = HeartJson.Start().Raw("{\"hearts\":["u8);
        for (var index = 0; index < targets.Length; index++)
        {
            if (index > 0) json.Raw(","u8);
            Write(json, targets[index], states[index]);
        }

        return json.Raw("]}"u8).SendAsync(context, StatusCodes.Status200OK);
    }

    private Task StaleAsync(HttpContext context, string targetId, in KnownHearts known)
    {
        SetAge(context, known.AsOf);
        var json = HeartJson.Start();
        Write(json, targetId, known);
        return json.SendAsync(context, StatusCodes.Status200OK);
    }

    private Task StaleAsync(HttpContext context, string[] targets, KnownHearts[] known)
    {
        SetAge(context, known.Min(static target => target.AsOf));
        var json = HeartJson.Start().Raw("{\"hearts\":["u8);
        for (var index = 0; index < targets.Length; index++)
        {
            if (index > 0) json.Raw(","u8);
            Write(json, targets[index], known[index]);
        }

        return json.Raw("]}"u8).SendAsync(context, StatusCodes.Status200OK);
    }

    /// <summary><c>Age</c> in whole seconds (RFC 9111): of several, the oldest's.</summary>
    private void SetAge(HttpContext context, long asOf)
    {
        metrics.CountStale();
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Age = (Math.Max(0, time.GetUtcNow().Ticks - asOf) / TimeSpan.TicksPerSecond).ToString(CultureInfo.InvariantCulture);
    }

    private static void Write(HeartJson json, string targetId, in KnownHearts known)
    {
        json.Raw("{\"target_id\":"u8).Text(targetId)
            .Raw(",\"count\":"u8).Number(known.Count)
            .Raw(",\"version\":"u8).Number(known.Version);
        if (known.Opening > 0) json.Raw(",\"opening\":"u8).Number(known.Opening);
        json.Raw(",\"stale\":true,\"as_of\":"u8).Timestamp((known.AsOf - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond)
            .Raw("}"u8);
    }

    private static void Write(HeartJson json, string targetId, in HeartState state)
    {
        json.Raw("{\"target_id\":"u8).Text(targetId)
            .Raw(",\"count\":"u8).Number(state.Count)
            .Raw(",\"version\":"u8).Number(state.Version);
        if (state.Opening > 0) json.Raw(",\"opening\":"u8).Number(state.Opening);
        if (state.Hearted is { } hearted) json.Raw(",\"hearted\":"u8).Flag(hearted);
        json.Raw("}"u8);
    }
}
