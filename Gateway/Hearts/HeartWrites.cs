using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Hearts;

/// <summary>Giving and withdrawing hearts: parse, connection, quota, grain, answer.</summary>
internal sealed class HeartWrites(
    GrainCalls calls, ClusterConnection connection, Quota quota, LastKnown lastKnown, GatewayMetrics metrics)
{
    /// <summary>Room for the longest identifiers with every byte escaped, and then some.</summary>
    public const int BodyByteLimit = 8 * 1024;

    /// <summary><c>POST /hearts</c></summary>
    public Task GiveAsync(HttpContext context)
    {
        var body = JsonBody.ReadAsync(context.Request, BodyByteLimit, HeartBody.ParseHeart);
        return body.IsCompletedSuccessfully ? GiveAsync(context, body.Result) : AwaitBodyAsync(context, body);
    }

    /// <summary><c>DELETE /hearts</c></summary>
    public Task WithdrawAsync(HttpContext context)
    {
        var query = HeartQuery.Parse(context.Request.QueryString.Value ?? "", QueryParameters.TargetId | QueryParameters.UserId);
        return query.Rejection is { } rejection
            ? RejectAsync(context, HeartOperation.Withdraw, rejection)
            : WriteAsync(context, HeartOperation.Withdraw, query.Value.TargetId!, query.Value.UserId!, null);
    }

    private async Task AwaitBodyAsync(HttpContext context, ValueTask<Parsed<HeartRequest>> body) => await GiveAsync(context, await body);

    private Task GiveAsync(HttpContext context, in Parsed<HeartRequest> body) =>
        body.Rejection is { } rejection
            ? RejectAsync(context, HeartOperation.Give, rejection)
            : WriteAsync(context, HeartOperation.Give, body.Value.TargetId, body.Value.UserId, body.Value.CampaignId);

    private Task RejectAsync(HttpContext context, HeartOperation operation, Rejection rejection)
    {
        metrics.CountHeart(operation, HeartResult.Invalid);
        return context.WriteProblemAsync(rejection);
    }

    private async Task WriteAsync(HttpContext context, HeartOperation operation, string targetId, string userId, string? campaignId)
    {
        // Before the quota: a call that cannot be sent must cost the user nothing.
        var isConnected = connection.IsConnected && quota.IsReady;
        var retryAfter = TimeSpan.Zero;
        if (!isConnected || !calls.Hearts.WouldPass(out retryAfter))
        {
            var reason = isConnected ? CallStatus.Paused : CallStatus.Unavailable;
            await HeartRefusals.WriteFailedAsync(context, reason, default, (int)Math.Ceiling(retryAfter.TotalSeconds), out var refused);
            metrics.CountHeart(operation, refused);
            return;
        }

        var keys = new QuotaKeys(userId, quota.Set.NeedsAddress ? ClientAddress.Of(context) : null, targetId, campaignId);
        var judgement = await quota.AcquireAsync(keys, context.RequestAborted);
        QuotaHeaders.Write(context, judgement);
        if (judgement.Status != QuotaStatus.Admitted)
        {
            metrics.CountHeart(operation, ResultOf(judgement.Status));
            await QuotaRefusals.WriteAsync(context, judgement);
            return;
        }

        var call = new HeartWrite(targetId, userId, operation == HeartOperation.Give) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(call);
        if (status != CallStatus.Answered || call.Value.Outcome != HeartOutcome.Committed)
        {
            // Our fault, unless the client itself went away.
            if (status != CallStatus.Aborted) quota.Return(judgement);
            await HeartRefusals.WriteFailedAsync(context, status, call.Value.Outcome, call.RetryAfterSeconds, out var failed);
            metrics.CountHeart(operation, failed);
            return;
        }

        lastKnown.Note(targetId, call.Value.Count, call.Value.Version);
        metrics.CountHeart(operation, call.Value.Changed ? HeartResult.Changed : HeartResult.Unchanged);
        await (operation == HeartOperation.Give
            ? GivenAsync(context, targetId, userId, call.Value)
            : WithdrawnAsync(context, targetId, userId, call.Value));
    }

    private static HeartResult ResultOf(QuotaStatus status) => status switch
    {
        QuotaStatus.Refused => HeartResult.QuotaExceeded,
        QuotaStatus.Aborted => HeartResult.Aborted,
        _ => HeartResult.QuotaUnavailable,
    };

    private static Task GivenAsync(HttpContext context, string targetId, string userId, in HeartReceipt receipt)
    {
        if (receipt.Changed)
        {
            context.Response.Headers.Location =
                string.Concat("/api/v1/hearts?target_id=", Uri.EscapeDataString(targetId), "&user_id=", Uri.EscapeDataString(userId));
        }

        return HeartJson.Start()
            .Raw("{\"id\":"u8).Id(receipt.Id)
            .Raw(",\"target_id\":"u8).Text(targetId)
            .Raw(",\"user_id\":"u8).Text(userId)
            .Raw(",\"count\":"u8).Number(receipt.Count)
            .Raw(",\"timestamp\":"u8).Timestamp(receipt.GivenAtMicros)
            .Raw(",\"version\":"u8).Number(receipt.Version)
            .Raw(",\"created\":"u8).Flag(receipt.Changed)
            .Raw("}"u8)
            .SendAsync(context, receipt.Changed ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    private static Task WithdrawnAsync(HttpContext context, string targetId, string userId, in HeartReceipt receipt) =>
        HeartJson.Start()
            .Raw("{\"target_id\":"u8).Text(targetId)
            .Raw(",\"user_id\":"u8).Text(userId)
            .Raw(",\"count\":"u8).Number(receipt.Count)
            .Raw(",\"version\":"u8).Number(receipt.Version)
            .Raw(",\"hearted\":false,\"removed\":"u8).Flag(receipt.Changed)
            .Raw("}"u8)
            .SendAsync(context, StatusCodes.Status200OK);
}
