using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.Hearts;

/// <summary>Giving and withdrawing hearts: parse, connection, quota, grain, answer.</summary>
internal sealed partial class HeartWrites(
    GrainCalls calls, ClusterConnection connection, IQuota quota, GatewayMetrics metrics, ILogger<HeartWrites> logger)
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
            : WriteAsync(context, HeartOperation.Withdraw, query.Value.TargetId!, query.Value.UserId!);
    }

    private async Task AwaitBodyAsync(HttpContext context, ValueTask<Parsed<HeartRequest>> body) => await GiveAsync(context, await body);

    private Task GiveAsync(HttpContext context, in Parsed<HeartRequest> body) =>
        body.Rejection is { } rejection
            ? RejectAsync(context, HeartOperation.Give, rejection)
            : WriteAsync(context, HeartOperation.Give, body.Value.TargetId, body.Value.UserId);

    private Task RejectAsync(HttpContext context, HeartOperation operation, Rejection rejection)
    {
        metrics.CountHeart(operation, HeartResult.Invalid);
        return context.WriteProblemAsync(rejection);
    }

    private async Task WriteAsync(HttpContext context, HeartOperation operation, string targetId, string userId)
    {
        // Before the quota: a call that cannot be sent must cost the user nothing.
        if (!connection.IsConnected)
        {
            await HeartRefusals.WriteFailedAsync(context, CallStatus.Unavailable, default, 1, out var refused);
            metrics.CountHeart(operation, refused);
            return;
        }

        if (await AskQuotaAsync(context, userId) is { } quotaResult)
        {
            metrics.CountHeart(operation, quotaResult);
            return;
        }

        var call = new HeartWrite(targetId, userId, operation == HeartOperation.Give) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(call);
        if (status != CallStatus.Answered || call.Value.Outcome != HeartOutcome.Committed)
        {
            await HeartRefusals.WriteFailedAsync(context, status, call.Value.Outcome, call.RetryAfterSeconds, out var failed);
            metrics.CountHeart(operation, failed);
            return;
        }

        metrics.CountHeart(operation, call.Value.Changed ? HeartResult.Changed : HeartResult.Unchanged);
        await (operation == HeartOperation.Give
            ? GivenAsync(context, targetId, userId, call.Value)
            : WithdrawnAsync(context, targetId, userId, call.Value));
    }

    /// <summary>Takes a token; when that fails, answers and returns what to count. Synchronous while the quota is.</summary>
    private async ValueTask<HeartResult?> AskQuotaAsync(HttpContext context, string userId)
    {
        RateLimitDecision decision;
        try
        {
            decision = await quota.AcquireAsync(userId, context.RequestAborted);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            await HeartRefusals.WriteFailedAsync(context, CallStatus.Aborted, default, 1, out var aborted);
            return aborted;
        }
        catch (Exception exception)
        {
            // An outage of the quota is ours, whatever it throws: it must not look like the user's fault.
            Log.QuotaFailed(logger, exception);
            await context.WriteProblemAsync(Problem.QuotaUnavailable, "Nothing was stored. Call again after Retry-After.", 1);
            return HeartResult.QuotaUnavailable;
        }

        if (decision.IsAcquired) return null;
        await HeartRefusals.QuotaExceededAsync(context, quota.Policy, decision);
        return HeartResult.QuotaExceeded;
    }

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

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The quota could not be asked.")]
        public static partial void QuotaFailed(ILogger logger, Exception exception);
    }
}
