using System.Net.Sockets;
using HeartGrains.Hearts;
using Orleans.Runtime;
using Orleans.Runtime.Messaging;
using Polly;
using Polly.CircuitBreaker;

namespace HeartGrains.Gateway.Resilience;

/// <summary>How a call ended, retries included.</summary>
internal enum CallStatus
{
    /// <summary>The grain answered; its value may still be a refusal.</summary>
    Answered,

    /// <summary>Definitely not done: nothing was sent, or the silo refused to take it.</summary>
    Unavailable,

    /// <summary>Definitely not done: the breaker lets nothing pass.</summary>
    Paused,

    /// <summary>Definitely not done: conflicts, and no retry is left.</summary>
    Conflict,

    /// <summary>It may have been done.</summary>
    Unknown,

    /// <summary>The client went away.</summary>
    Aborted,
}

/// <summary>How one attempt ended: what the pipeline's strategies look at. Failures are values here, not exceptions.</summary>
internal enum AttemptResult
{
    Answered,

    /// <summary>The silo answered, but what is behind it did not do its part, or took its time.</summary>
    AnsweredForLedger,
    Conflict,

    /// <summary>Orleans could not hand it to a silo.</summary>
    NotSent,

    /// <summary>A silo refused it for load.</summary>
    Overloaded,

    /// <summary>Rejected on its way; a silo may have seen it.</summary>
    Rejected,

    /// <summary>No answer in time, or a failure we do not know.</summary>
    Lost,
    Aborted,
}

/// <summary>What a call is for: each path has a pipeline of its own, so that trouble on one does not close the other.</summary>
internal enum GrainPath
{
    /// <summary>Giving, withdrawing and reading hearts.</summary>
    Hearts,

    /// <summary>Quotas: whether a call may be made at all, and what operators and clients ask of them.</summary>
    Quota,

    /// <summary>Finding out whether a quota answers again: not refused by a breaker, and hurried by nobody.</summary>
    Probe,

    /// <summary>What operators ask: not refused by a breaker, for they are asked most when one is open.</summary>
    Desk,
    /// <summary>Reading the log and comparing with it, for operators: takes its time, and must not close the hearts' breaker by that.</summary>
    Audit,

    /// <summary>Watching targets: made again by who watches, so not here, and held back by how many may be under way and not by a breaker.</summary>
    Live,
}

/// <summary>One call to a grain: made once or more by the pipeline, and remembering what no later attempt may forget.</summary>
internal abstract class GrainCall
{
    /// <summary>An attempt ended without a definite answer, so nothing after it proves that nothing was done.</summary>
    protected bool MayHaveRun { get; set; }

    /// <summary>Fires when the client goes away.</summary>
    public CancellationToken RequestAborted { get; init; }

    /// <summary>Which pipeline makes the call.</summary>
    public virtual GrainPath Path => GrainPath.Hearts;

    /// <summary>What the last attempt that failed threw.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>The same, if nothing that fails in an outage throws it: a defect.</summary>
    public Exception? Defect => Failure is null or TimeoutException or OperationCanceledException or OrleansException or IOException or SocketException ? null : Failure;

    /// <summary>How long the pipeline wants the client to wait, in seconds, when it refused.</summary>
    public int RetryAfterSeconds { get; private set; } = 1;

    /// <summary>Addresses the grains. Throws while the client does not know the cluster's grains; nothing has left then.</summary>
    public abstract void Address(GrainAddresses addresses);

    public abstract ValueTask<Outcome<AttemptResult>> AttemptAsync(CancellationToken cancellationToken);

    protected abstract bool IsRefused { get; }

    public CallStatus Settle(in Outcome<AttemptResult> outcome)
    {
        if (RequestAborted.IsCancellationRequested && (outcome.Exception is not null || !IsAnswer(outcome.Result)))
            return CallStatus.Aborted;

        if (outcome.Exception is BrokenCircuitException { RetryAfter: { } wait })
        {
            RetryAfterSeconds = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds));
            return MayHaveRun ? CallStatus.Unknown : CallStatus.Paused;
        }

        // Other exceptions come from the pipeline itself: time ran out between two attempts.
        if (outcome.Exception is not null) return MayHaveRun ? CallStatus.Unknown : CallStatus.Unavailable;
        return outcome.Result switch
        {
            AttemptResult.Answered or AttemptResult.AnsweredForLedger => MayHaveRun && IsRefused ? CallStatus.Unknown : CallStatus.Answered,
            AttemptResult.Conflict => MayHaveRun ? CallStatus.Unknown : CallStatus.Conflict,
            AttemptResult.NotSent or AttemptResult.Overloaded => MayHaveRun ? CallStatus.Unknown : CallStatus.Unavailable,
            _ => CallStatus.Unknown,
        };
    }

    private static bool IsAnswer(AttemptResult result) => result is AttemptResult.Answered or AttemptResult.AnsweredForLedger;

    protected AttemptResult Classify(Exception exception)
    {
        Failure = exception;
        var result = exception switch
        {
            OperationCanceledException when RequestAborted.IsCancellationRequested => AttemptResult.Aborted,
            _ when WasNotSent(exception) => AttemptResult.NotSent,
            GatewayTooBusyException or LimitExceededException => AttemptResult.Overloaded,
            OrleansMessageRejectionException => AttemptResult.Rejected,
            _ => AttemptResult.Lost,
        };
        if (result is AttemptResult.Rejected or AttemptResult.Lost) MayHaveRun = true;
        return result;
    }

    /// <summary>The call that failed so has not left this process.</summary>
    public static bool WasNotSent(Exception exception) => exception switch
    {
        ConnectionFailedException => true,

        // The client's message center says this, and nothing else, before it has a connection to write to.
        OrleansMessageRejectionException => exception.Message.StartsWith("No gateways available", StringComparison.Ordinal),
        _ => false,
    };
}

/// <summary>A call whose answer is a <typeparamref name="T"/>.</summary>
internal abstract class GrainCall<T> : GrainCall
{
    /// <summary>The grain's answer, once the call is <see cref="CallStatus.Answered"/>.</summary>
    public T Value { get; private set; } = default!;

    protected abstract ValueTask<T> SendAsync(CancellationToken cancellationToken);

    /// <summary>What the answer says of itself.</summary>
    protected abstract HeartOutcome OutcomeOf(in T value);

    /// <summary>Whether the time it took was the ledger's.</summary>
    protected virtual bool WaitedForLedger(in T value) => false;

    /// <summary>What the grain's answer says of itself, once the call is <see cref="CallStatus.Answered"/>.</summary>
    public HeartOutcome Outcome => OutcomeOf(Value);

    protected override bool IsRefused => Outcome != HeartOutcome.Committed;

    public override async ValueTask<Outcome<AttemptResult>> AttemptAsync(CancellationToken cancellationToken)
    {
        try
        {
            Value = await SendAsync(cancellationToken);
        }
        catch (Exception exception)
        {
            return Polly.Outcome.FromResult(Classify(exception));
        }

        var outcome = Outcome;
        if (outcome == HeartOutcome.Unknown) MayHaveRun = true;
        return Polly.Outcome.FromResult(outcome switch
        {
            HeartOutcome.Conflict => AttemptResult.Conflict,
            HeartOutcome.LedgerUnavailable or HeartOutcome.QueueFull or HeartOutcome.Unknown => AttemptResult.AnsweredForLedger,
            _ => WaitedForLedger(Value) ? AttemptResult.AnsweredForLedger : AttemptResult.Answered,
        });
    }
}
