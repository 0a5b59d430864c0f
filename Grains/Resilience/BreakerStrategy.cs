using System.Runtime.CompilerServices;
using Polly;
using Polly.CircuitBreaker;

namespace HeartGrains.Resilience;

/// <summary>Puts a <see cref="Breaker"/> into a Polly pipeline. Calls that are turned away end with a <see cref="BrokenCircuitException"/> that says how long.</summary>
/// <param name="breaker">The breaker.</param>
/// <param name="judge">What an outcome says of the dependency.</param>
internal sealed class BreakerStrategy<T>(Breaker breaker, Func<Outcome<T>, CallVerdict> judge) : ResilienceStrategy<T>
{
    protected override ValueTask<Outcome<T>> ExecuteCore<TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<T>>> callback, ResilienceContext context, TState state)
    {
        if (!breaker.TryPass(out var ticket, out var retryAfter))
            return Outcome.FromExceptionAsValueTask<T>(new BrokenCircuitException($"The breaker {breaker.Name} lets nothing pass.", retryAfter));

        ValueTask<Outcome<T>> call;
        try
        {
            call = callback(context, state);
        }
        catch
        {
            breaker.Report(ticket, CallVerdict.Failed);
            throw;
        }

        if (!call.IsCompletedSuccessfully) return AwaitAsync(call, ticket);
        var outcome = call.Result;
        breaker.Report(ticket, judge(outcome));
        return new(outcome);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Outcome<T>> AwaitAsync(ValueTask<Outcome<T>> call, BreakerTicket ticket)
    {
        var verdict = CallVerdict.Failed;
        try
        {
            var outcome = await call.ConfigureAwait(false);
            verdict = judge(outcome);
            return outcome;
        }
        finally
        {
            breaker.Report(ticket, verdict);
        }
    }
}

/// <summary>Adds breakers to pipelines.</summary>
public static class BreakerPipelines
{
    /// <summary>Adds a breaker that may be shared with other pipelines.</summary>
    /// <param name="builder">The pipeline.</param>
    /// <param name="breaker">The breaker.</param>
    /// <param name="judge">What an outcome says of the dependency.</param>
    public static ResiliencePipelineBuilder<T> AddBreaker<T>(this ResiliencePipelineBuilder<T> builder, Breaker breaker, Func<Outcome<T>, CallVerdict> judge) =>
        builder.AddStrategy(_ => new BreakerStrategy<T>(breaker, judge), new NoOptions());

    // A breaker comes with its rule.
    private sealed class NoOptions : ResilienceStrategyOptions;
}
