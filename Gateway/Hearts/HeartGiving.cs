using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Hearts;

/// <summary>
/// Gives and withdraws hearts for every route that takes them: connection, quota, grain, last known state, metrics. What the caller is told is the route's own matter.
/// </summary>
internal sealed class HeartGiving(GrainCalls calls, ClusterConnection connection, Quota quota, LastKnown lastKnown, GatewayMetrics metrics)
{
    /// <summary>Gives the heart of a caller who was not refused. Writes the quota's headers, and nothing else, to the answer.</summary>
    public ValueTask<GiveResult> GiveAsync(HttpContext context, string targetId, in Caller caller, string? campaignId = null) =>
        ToldAsync(context, HeartOperation.Give, targetId, caller.UserId!, caller.Origin, campaignId);

    /// <summary>Takes the caller's heart back; else as <see cref="GiveAsync"/>.</summary>
    public ValueTask<GiveResult> WithdrawAsync(HttpContext context, string targetId, in Caller caller) =>
        ToldAsync(context, HeartOperation.Withdraw, targetId, caller.UserId!, caller.Origin, null);

    /// <summary>Counts a call that was refused before it came here.</summary>
    public void CountInvalid(HeartOperation operation) => metrics.CountHeart(operation, HeartResult.Invalid);

    /// <summary>Does either, the answer said by a function, in the one asynchronous method that a heart costs.</summary>
    public async Task ChangeAsync(HttpContext context, HeartOperation operation, string targetId, string userId, HeartOrigin? origin, string? campaignId, GiveAnswer answer)
    {
        // Before the quota: a call that cannot be sent must cost the user nothing.
        var isConnected = connection.IsConnected && quota.IsReady;
        var retryAfter = TimeSpan.Zero;
        if (!isConnected || !calls.Hearts.WouldPass(out retryAfter))
        {
            var reason = isConnected ? CallStatus.Paused : CallStatus.Unavailable;
            await RefuseAsync(context, operation, targetId, userId, new GiveRefusal(reason, default, (int)Math.Ceiling(retryAfter.TotalSeconds)), answer);
            return;
        }

        var keys = new QuotaKeys(userId, quota.Set.NeedsAddress ? ClientAddress.Of(context) : null, targetId, campaignId);
        var judgement = await quota.AcquireAsync(keys, context.RequestAborted);
        QuotaHeaders.Write(context, judgement);
        if (judgement.Status != QuotaStatus.Admitted)
        {
            await RefuseAsync(context, operation, targetId, userId, new GiveRefusal(judgement), answer);
            return;
        }

        var call = new HeartWrite(targetId, userId, origin, operation == HeartOperation.Give) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(call);
        if (status != CallStatus.Answered || call.Value.Outcome != HeartOutcome.Committed)
        {
            // Our fault, unless the client itself went away, or is not to call so.
            if (status != CallStatus.Aborted && !(status == CallStatus.Answered && call.Value.Outcome == HeartOutcome.Blocked)) quota.Return(judgement);
            await RefuseAsync(
                context, operation, targetId, userId, new GiveRefusal(status, call.Value.Outcome, call.RetryAfterSeconds) { BlockedUntilMicros = call.Value.GivenAtMicros }, answer);
            return;
        }

        lastKnown.Note(targetId, call.Value.Count, call.Value.Version);
        var result = call.Value.Changed ? HeartResult.Changed : HeartResult.Unchanged;
        metrics.CountHeart(operation, result);
        await answer(context, targetId, userId, new GiveResult(result, call.Value, null));
    }

    private Task RefuseAsync(HttpContext context, HeartOperation operation, string targetId, string userId, GiveRefusal refusal, GiveAnswer answer)
    {
        metrics.CountHeart(operation, refusal.Result);
        return answer(context, targetId, userId, new GiveResult(refusal.Result, default, refusal));
    }

    private async ValueTask<GiveResult> ToldAsync(HttpContext context, HeartOperation operation, string targetId, string userId, HeartOrigin? origin, string? campaignId)
    {
        GiveResult told = default;
        await ChangeAsync(context, operation, targetId, userId, origin, campaignId, (HttpContext _, string _, string _, in GiveResult result) =>
        {
            told = result;
            return Task.CompletedTask;
        });
        return told;
    }
}

/// <summary>Tells the caller how it ended.</summary>
internal delegate Task GiveAnswer(HttpContext context, string targetId, string userId, in GiveResult result);

/// <summary>How a call to give or withdraw ended.</summary>
/// <param name="Result">The same in one word.</param>
/// <param name="Receipt">The grain's answer; meaningful only when nothing was refused.</param>
/// <param name="Refusal">Why it was not done, or may not have been; null when it is committed.</param>
internal readonly record struct GiveResult(HeartResult Result, HeartReceipt Receipt, GiveRefusal? Refusal);

/// <summary>A heart that was not given or withdrawn, or perhaps was.</summary>
internal sealed class GiveRefusal
{
    private readonly CallStatus _status;
    private readonly HeartOutcome _outcome;
    private readonly int _retryAfterSeconds;
    private readonly QuotaJudgement? _judgement;

    public GiveRefusal(CallStatus status, HeartOutcome outcome, int retryAfterSeconds)
    {
        (_status, _outcome, _retryAfterSeconds) = (status, outcome, retryAfterSeconds);
        Result = HeartRefusals.ResultOf(status, outcome);
    }

    public GiveRefusal(in QuotaJudgement judgement)
    {
        _judgement = judgement;
        Result = judgement.Status switch
        {
            QuotaStatus.Refused => HeartResult.QuotaExceeded,
            QuotaStatus.Aborted => HeartResult.Aborted,
            _ => HeartResult.QuotaUnavailable,
        };
    }

    public HeartResult Result { get; }

    /// <summary>Our fault and likely over soon: the same call again, which is always safe, may succeed.</summary>
    public bool IsPassing => Result is not (HeartResult.QuotaExceeded or HeartResult.Aborted or HeartResult.Frozen or HeartResult.Blocked);

    /// <summary>Until when the user gives no hearts, if that is why.</summary>
    public long BlockedUntilMicros { get; init; }

    /// <summary>Answers as the API does: with a problem.</summary>
    public Task WriteAsync(HttpContext context) => _judgement is { } judgement
        ? QuotaRefusals.WriteAsync(context, judgement)
        : HeartRefusals.WriteFailedAsync(context, _status, _outcome, _retryAfterSeconds, BlockedUntilMicros);
}
