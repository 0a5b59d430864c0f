using System.Globalization;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Hearts;

/// <summary>
/// What a caller is told when the grain did not do or say what was asked. The contract: 503 and 429 mean definitely not done, 504
/// means it may have been done.
/// </summary>
internal static class HeartRefusals
{
    private const int ClientClosedRequest = 499;
    private static int _unavailable;

    /// <summary>The same in one word.</summary>
    public static HeartResult ResultOf(CallStatus status, HeartOutcome outcome) => status switch
    {
        CallStatus.Aborted => HeartResult.Aborted,
        CallStatus.Answered when outcome == HeartOutcome.QueueFull => HeartResult.QueueFull,
        CallStatus.Answered when outcome == HeartOutcome.LedgerUnavailable => HeartResult.LedgerUnavailable,
        CallStatus.Answered when outcome == HeartOutcome.Frozen => HeartResult.Frozen,
        CallStatus.Answered when outcome == HeartOutcome.Blocked => HeartResult.Blocked,
        CallStatus.Conflict => HeartResult.Conflict,
        CallStatus.Paused => HeartResult.Paused,
        CallStatus.Unavailable => HeartResult.Unavailable,
        _ => HeartResult.Unknown,
    };

    public static Task WriteFailedAsync(HttpContext context, CallStatus status, HeartOutcome outcome, int retryAfter, long blockedUntilMicros = 0)
    {
        switch (status)
        {
            case CallStatus.Aborted:
                context.Response.StatusCode = ClientClosedRequest;
                return Task.CompletedTask;
            case CallStatus.Answered when outcome == HeartOutcome.QueueFull:
                return context.WriteProblemAsync(Problem.QueueFull, "Nothing was stored. Call again after Retry-After.", 1);
            case CallStatus.Answered when outcome == HeartOutcome.LedgerUnavailable:
                return context.WriteProblemAsync(Problem.LedgerUnavailable, "Nothing was stored. Call again after Retry-After.", 1);
            case CallStatus.Answered when outcome == HeartOutcome.Frozen:
                return context.WriteProblemAsync(Problem.TargetFrozen, "Nothing was stored: hearts of this target are not given or taken back until an operator lets it go.");
            case CallStatus.Answered when outcome == HeartOutcome.Blocked:
                return BlockedAsync(context, blockedUntilMicros);
            case CallStatus.Conflict:
                return context.WriteProblemAsync(Problem.ConflictRetry, "Nothing was stored. Call again after Retry-After.", 1);
            case CallStatus.Paused:
                return PausedAsync(context, retryAfter);
            case CallStatus.Unavailable:
                return context.WriteProblemAsync(Problem.Unavailable, "Nothing was stored: no silo took the call.", ComeBackSeconds());
            default:
                return context.WriteProblemAsync(
                    Problem.OutcomeUnknown, "No answer came in time: it may have been stored. The same call again is safe and tells.");
        }
    }

    /// <summary>A read has nothing to be unsure about: whatever failed, it can be asked again.</summary>
    public static Task ReadFailedAsync(HttpContext context, CallStatus status, HeartOutcome outcome, int retryAfter)
    {
        if (status == CallStatus.Aborted)
        {
            context.Response.StatusCode = ClientClosedRequest;
            return Task.CompletedTask;
        }

        if (status == CallStatus.Paused) return PausedAsync(context, retryAfter);
        return status == CallStatus.Answered && outcome == HeartOutcome.LedgerUnavailable
            ? context.WriteProblemAsync(Problem.LedgerUnavailable, "The ledger cannot be read now. Call again after Retry-After.", 1)
            : context.WriteProblemAsync(Problem.Unavailable, "No silo answered. Call again after Retry-After.", ComeBackSeconds());
    }

    private static Task BlockedAsync(HttpContext context, long untilMicros)
    {
        var until = DateTimeOffset.UnixEpoch.AddTicks(untilMicros * TimeSpan.TicksPerMicrosecond).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return context.WriteProblemAsync(
            new Rejection(Problem.UserBlocked, $"Nothing was stored: this user gives no hearts until {until}. Hearts given before stay, and may be taken back.") { Until = until });
    }

    private static int ComeBackSeconds() => RecoverySchedule.ComeBackSeconds(Interlocked.Increment(ref _unavailable));

    private static Task PausedAsync(HttpContext context, int retryAfter) => context.WriteProblemAsync(
        Problem.TemporaryReducedCapacity, "Nothing was done: calls to the silos are paused after failures. Call again after Retry-After.", retryAfter);
}
