using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Hearts;

/// <summary>
/// Reads counts for every interface that shows them. While silos answer badly or not at all, what this gateway last heard of a target is told instead, and said to be that.
/// </summary>
internal sealed class HeartReading(GrainCalls calls, LastKnown lastKnown, GatewayMetrics metrics)
{
    /// <summary>Reads one target; the answer is said by a function, in the one asynchronous method that a read costs.</summary>
    /// <param name="context">The call.</param>
    /// <param name="targetId">Which.</param>
    /// <param name="userId">Whose heart is asked about, if anybody's.</param>
    /// <param name="isSelf">The user is who calls, known by a token and not by the name: who reloads a page asks above all whether the heart is still there, which no last state tells.</param>
    /// <param name="answer">Tells how it ended.</param>
    public async Task ReadAsync(HttpContext context, string targetId, string? userId, bool isSelf, ReadAnswer answer)
    {
        KnownHearts known;
        if (!isSelf && calls.SparingAge is { } age && lastKnown.TryFind(targetId, age, out known))
        {
            await answer(context, targetId, isSelf, Stale(known));
            return;
        }

        var call = new HeartRead(targetId, userId) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(call);
        if (status == CallStatus.Answered && call.Outcome == HeartOutcome.Committed)
        {
            lastKnown.Note(targetId, call.Value);
            await answer(context, targetId, isSelf, new TargetRead(call.Value));
        }
        else
        {
            await answer(context, targetId, isSelf, status != CallStatus.Aborted && lastKnown.TryFind(targetId, out known)
                ? Stale(known)
                : new TargetRead(new ReadRefusal(status, call.Outcome, call.RetryAfterSeconds)));
        }
    }

    /// <summary>Reads many targets, all from the silos or all from what is known; else as <see cref="ReadAsync"/>.</summary>
    public async Task ReadBatchAsync(HttpContext context, string[] targets, string? userId, bool isSelf, BatchAnswer answer)
    {
        KnownHearts[] known;
        if (!isSelf && calls.SparingAge is { } age && TryFind(targets, age, out known))
        {
            await answer(context, targets, isSelf, new TargetReads(null, known));
            return;
        }

        var call = new HeartBatchRead(targets, userId) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(call);
        if (status == CallStatus.Answered && call.Outcome == HeartOutcome.Committed)
        {
            for (var index = 0; index < targets.Length; index++) lastKnown.Note(targets[index], call.Value[index]);
            await answer(context, targets, isSelf, new TargetReads(call.Value, null));
        }
        else
        {
            await answer(context, targets, isSelf, status != CallStatus.Aborted && TryFind(targets, TimeSpan.MaxValue, out known)
                ? new TargetReads(null, known)
                : new TargetReads(null, null, new ReadRefusal(status, call.Value is null ? default : call.Outcome, call.RetryAfterSeconds)));
        }
    }

    private TargetRead Stale(in KnownHearts known)
    {
        metrics.CountStale();
        return new TargetRead(known);
    }

    private bool TryFind(string[] targets, TimeSpan age, out KnownHearts[] known)
    {
        known = new KnownHearts[targets.Length];
        for (var index = 0; index < targets.Length; index++)
            if (!lastKnown.TryFind(targets[index], age, out known[index])) return false;
        metrics.CountStale();
        return true;
    }
}

/// <summary>Tells the caller how a read of one target ended.</summary>
internal delegate Task ReadAnswer(HttpContext context, string targetId, bool isSelf, in TargetRead result);

/// <summary>Tells the caller how a read of many targets ended.</summary>
internal delegate Task BatchAnswer(HttpContext context, string[] targets, bool isSelf, in TargetReads result);

/// <summary>How a read of one target ended.</summary>
internal readonly struct TargetRead
{
    /// <summary>A silo has answered.</summary>
    public TargetRead(in HeartState state) => State = state;

    /// <summary>Nobody was asked, or nobody answered, and this was known.</summary>
    public TargetRead(in KnownHearts known) => (State, AsOf) = (new HeartState(HeartOutcome.Committed, known.Count, known.Version, null, known.Opening), known.AsOf);

    /// <summary>Nothing is known.</summary>
    public TargetRead(ReadRefusal refusal) => Refusal = refusal;

    /// <summary>The target; meaningful only when nothing was refused.</summary>
    public HeartState State { get; }

    /// <summary>When that was so, in ticks of UTC; 0 when it is fresh.</summary>
    public long AsOf { get; }

    /// <summary>Why there is nothing to tell; null when there is.</summary>
    public ReadRefusal? Refusal { get; }
}

/// <summary>How a read of many targets ended.</summary>
internal readonly struct TargetReads(HeartState[]? states, KnownHearts[]? known, ReadRefusal? refusal = null)
{
    /// <summary>Why there is nothing to tell; null when there is.</summary>
    public ReadRefusal? Refusal => refusal;

    /// <summary>Since when all of it is so, in ticks of UTC; 0 when it is fresh.</summary>
    public long AsOf => known is null ? 0 : known.Min(static target => target.AsOf);

    /// <summary>One of the targets, in the order asked for.</summary>
    public TargetRead this[int index] => known is null ? new TargetRead(states![index]) : new TargetRead(known[index]);
}

/// <summary>A read that nobody could answer.</summary>
internal sealed class ReadRefusal(CallStatus status, HeartOutcome outcome, int retryAfterSeconds)
{
    /// <summary>Answers as the API does: with a problem.</summary>
    public Task WriteAsync(HttpContext context) => HeartRefusals.ReadFailedAsync(context, status, outcome, retryAfterSeconds);
}
