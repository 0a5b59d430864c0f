using Polly;

namespace HeartGrains.Gateway.Resilience;

/// <summary>
/// Makes a call again after a transient failure, on the <see cref="RecoverySchedule"/>: within the <see cref="RetryBudget"/>, and only while there is time for it before the caller's patience
/// ends. Failures are told as they came.
/// </summary>
internal sealed class RecoveryStrategy(
    RecoverySchedule schedule, RetryBudget budget, SiloProbe probe, int retryLimit, TimeSpan patience, RecoveryMetrics metrics, TimeProvider time)
    : ResilienceStrategy<AttemptResult>
{
    protected override ValueTask<Outcome<AttemptResult>> ExecuteCore<TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<AttemptResult>>> callback, ResilienceContext context, TState state)
    {
        budget.Pay();
        var startedAt = time.GetTimestamp();
        var call = callback(context, state);
        if (!call.IsCompletedSuccessfully) return RetryAsync(call, callback, context, state, startedAt);
        var outcome = call.Result;
        return IsTransient(outcome) ? RetryAsync(new(outcome), callback, context, state, startedAt) : new(outcome);
    }

    private async ValueTask<Outcome<AttemptResult>> RetryAsync<TState>(
        ValueTask<Outcome<AttemptResult>> call, Func<ResilienceContext, TState, ValueTask<Outcome<AttemptResult>>> callback,
        ResilienceContext context, TState state, long startedAt)
    {
        for (var attempt = 0; ; attempt++)
        {
            var outcome = await call.ConfigureAwait(context.ContinueOnCapturedContext);
            if (!IsTransient(outcome) || attempt >= retryLimit) return outcome;

            var delay = schedule.DelayAfter(attempt, Random.Shared.NextDouble());
            if (time.GetElapsedTime(startedAt) + delay >= patience) return outcome;
            if (!budget.TryTake())
            {
                metrics.BudgetSpent();
                return outcome;
            }

            await Task.Delay(delay, time, context.CancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (context.CancellationToken.IsCancellationRequested) return outcome;

            // Asked after the wait: before it, it would only say what the attempt that has just failed did.
            if (RecoverySchedule.AsksAfter(attempt) && !await probe.IsReadyAsync(context.CancellationToken)) return outcome;
            if (context.CancellationToken.IsCancellationRequested) return outcome;
            metrics.Retried();
            call = callback(context, state);
        }
    }

    /// <summary>Worth another try: it was refused or never sent. Where the outcome is not known the time is over as well.</summary>
    private static bool IsTransient(in Outcome<AttemptResult> outcome) =>
        outcome.Exception is null && outcome.Result is AttemptResult.Rejected or AttemptResult.NotSent or AttemptResult.Conflict;
}
