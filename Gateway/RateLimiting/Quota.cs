using HeartGrains.Diagnostics;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Resilience;
using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// Judges a request by every policy that applies: this gateway's slices first, and the grain of each key whose slice does not cover the cost. All or
/// nothing: what one policy gave is put back when another refuses. A grain that cannot be asked is an outage, and never a refusal.
/// </summary>
internal sealed partial class Quota(QuotaSlices slices, GrainCalls calls, TimeProvider timeProvider, ILogger<Quota> logger)
{
    private readonly QuotaProbe _probe = new(calls, timeProvider);
    private readonly Throttle _outages = new(timeProvider.TimestampFrequency);
    private volatile PolicySet _set = PolicySet.None;

    /// <summary>The policies in force; <see cref="PolicySet.None"/> until a silo has told.</summary>
    public PolicySet Set
    {
        get => _set;
        internal set => _set = value;
    }

    /// <summary>The silos' policies are known.</summary>
    public bool IsReady => _set != PolicySet.None;

    /// <summary>Takes what a heart costs. Synchronous, and without allocation, while slices are enough.</summary>
    public ValueTask<QuotaJudgement> AcquireAsync(in QuotaKeys keys, CancellationToken cancellationToken) => AcquireAsync(keys, 0, cancellationToken);

    /// <summary>
    /// Takes <paramref name="tokens"/> under every policy; 0 stands for what a heart costs. First what is the caller's own, user and address, and what many share
    /// only when those admit: somebody who is refused must not hold, however briefly, what others need.
    /// </summary>
    public ValueTask<QuotaJudgement> AcquireAsync(in QuotaKeys keys, long tokens, CancellationToken cancellationToken)
    {
        var judgement = new QuotaJudgement(_set, keys, tokens);
        var own = TakeSlices(ref judgement, isShared: false);
        var shared = own == 0 ? TakeSlices(ref judgement, isShared: true) : 0;
        if ((own | shared) != 0) return AskAsync(judgement, own, shared, cancellationToken);
        CountAdmitted(judgement);
        return new(judgement);
    }

    /// <summary>Puts back what was taken for a call that then failed for our fault.</summary>
    public void Return(in QuotaJudgement judgement)
    {
        if (judgement.Status != QuotaStatus.Admitted) return;
        QuotaMetrics.Return();
        PutBack(judgement);
    }

    private async ValueTask<QuotaJudgement> AskAsync(QuotaJudgement judgement, uint own, uint shared, CancellationToken cancellationToken)
    {
        var asks = judgement.Asks = new List<QuotaAsk>(1);
        if (own != 0)
        {
            var isReached = await SendAllAsync(asks, Prepare(judgement, own, cancellationToken));
            judgement = Weighed(judgement, asks);
            if (judgement.Status == QuotaStatus.Admitted)
            {
                shared = TakeSlices(ref judgement, isShared: true);

                // One patience for all: where the first were not reached, the others are not waited for.
                if (!isReached && shared != 0) MissUnasked(ref judgement, ref shared);
            }
        }

        if (shared != 0 && judgement.Status == QuotaStatus.Admitted)
        {
            var more = Prepare(judgement, shared, cancellationToken);
            await SendAllAsync(asks, more);
            judgement = Weighed(judgement, more);
        }

        if (judgement.Status == QuotaStatus.Admitted) CountAdmitted(judgement);
        else PutBack(judgement);
        return judgement;
    }

    private async Task<bool> SendAllAsync(List<QuotaAsk> made, List<QuotaAsk> asks)
    {
        made.AddRange(asks);
        await Task.WhenAll(asks.ConvertAll(ask => ask.SendAsync(calls)));
        return asks.TrueForAll(ask => ask.Status == CallStatus.Answered);
    }

    /// <summary>Takes from the slices of own or of shared policies. Returns, as bits, those whose slice does not cover the cost.</summary>
    private uint TakeSlices(ref QuotaJudgement judgement, bool isShared)
    {
        var pending = 0u;
        foreach (var policy in judgement.Set.Policies)
        {
            if (policy.IsShared != isShared) continue;
            var cost = judgement.CostOf(policy);
            if (cost == 0) continue;
            if (slices.TryTake(policy, judgement.Keys.Of(policy.Policy.Dimension), cost, out var level))
            {
                judgement.TookSlice(policy, level);
                judgement.Show(policy, level.Tokens + level.GrainTokens, Millis(Math.Max(level.TicksUntilFull, level.TicksUntilGrainFull)));
            }
            else
            {
                pending |= 1u << policy.Index;
            }
        }

        return pending;
    }

    private QuotaJudgement Weighed(QuotaJudgement judgement, List<QuotaAsk> asks)
    {
        foreach (var ask in asks)
        {
            if (ask.Status == CallStatus.Answered) Weigh(ref judgement, ask);
            else if (ask.Status == CallStatus.Aborted) judgement.Status = QuotaStatus.Aborted;
            else MissAll(ref judgement, ask);
        }

        return judgement;
    }

    private void MissAll(ref QuotaJudgement judgement, QuotaAsk ask)
    {
        if (_outages.TryPass(timeProvider.GetTimestamp(), out var count)) Log.NotAsked(logger, count, ask.Status, ask.Failure?.GetType().Name ?? "not tried");
        if (ask.Status == CallStatus.Unknown) _probe.Doubt(ask);
        foreach (var (policy, _) in ask.Parts) Miss(ref judgement, policy);
    }

    private static void MissUnasked(ref QuotaJudgement judgement, ref uint pending)
    {
        foreach (var policy in judgement.Set.Policies)
            if ((pending & (1u << policy.Index)) != 0) Miss(ref judgement, policy);
        pending = 0;
    }

    private static void CountAdmitted(in QuotaJudgement judgement)
    {
        foreach (var policy in judgement.Set.Policies)
            if ((judgement.FromSlices & (1u << policy.Index)) != 0) policy.Metrics.AdmittedBySlice();
        if (judgement.Asks is null) return;
        foreach (var ask in judgement.Asks)
            foreach (var (index, (policy, _)) in ask.Parts.Index())
                if (ask.Status == CallStatus.Answered && ask.Value.Verdicts[index].IsWithin) policy.Metrics.AdmittedByGrain();
    }

    /// <summary>One call for each dimension that its slices do not cover; what a slice has goes towards the cost.</summary>
    private List<QuotaAsk> Prepare(in QuotaJudgement judgement, uint pending, CancellationToken cancellationToken)
    {
        var asks = new List<QuotaAsk>(1);
        foreach (var policy in judgement.Set.Policies)
        {
            if ((pending & (1u << policy.Index)) == 0) continue;
            var dimension = policy.Policy.Dimension;
            var key = judgement.Keys.Of(dimension)!;
            var ask = asks.Find(other => other.Dimension == dimension);
            if (ask is null) asks.Add(ask = new QuotaAsk(dimension, key) { RequestAborted = cancellationToken });

            var cost = judgement.CostOf(policy);
            var level = SliceLevel.None;
            var part = cost > 1 ? slices.TakeUpTo(policy, key, cost - 1, out level) : 0;
            ask.Add(policy, new SlicePart(part, level.Now), cost - part);
        }

        return asks;
    }

    private static void Miss(ref QuotaJudgement judgement, SlicedPolicy policy)
    {
        if (policy.Policy.AdmitsOnOutage || policy.Policy.IsShadow)
        {
            policy.Metrics.OutageAdmitted();
            return;
        }

        policy.Metrics.OutageRefused();
        if (judgement.Status == QuotaStatus.Admitted) judgement.Status = QuotaStatus.Unavailable;
    }

    private void Weigh(ref QuotaJudgement judgement, QuotaAsk ask)
    {
        foreach (var (index, (policy, part)) in ask.Parts.Index())
        {
            var verdict = ask.Value.Verdicts[index];
            if (verdict == QuotaVerdict.Unknown) continue;

            var slice = slices.NoteGrain(policy, ask.Key, ClockTicks.FromMillis(verdict.ResetMillis, timeProvider.TimestampFrequency));
            if (verdict.IsWithin)
            {
                judgement.Show(policy, verdict.Remaining + slice.Tokens, Math.Max(verdict.ResetMillis, Millis(slice.TicksUntilFull)));
            }
            else if (policy.Policy.IsShadow)
            {
                policy.Metrics.ShadowRefused();
                if (policy.ShadowLog.TryPass(timeProvider.GetTimestamp(), out var count)) Log.WouldRefuse(logger, policy.Policy.Name, count);
            }
            else
            {
                policy.Metrics.Refused();
                judgement.Status = QuotaStatus.Refused;
                judgement.Violated |= 1u << policy.Index;
                judgement.Show(
                    policy, verdict.Remaining + slice.Tokens + part.Tokens, Math.Max(verdict.ResetMillis, Millis(slice.TicksUntilFull)), isRefusing: true);
                judgement.RetryAfterMillis = Math.Max(
                    judgement.RetryAfterMillis, policy.MillisUntil(judgement.CostOf(policy), slice.With(part.Tokens), verdict, timeProvider.TimestampFrequency));
            }
        }
    }

    private void PutBack(in QuotaJudgement judgement)
    {
        // A seat given anew has new slices: what was taken from the old ones is gone with them.
        if (ReferenceEquals(judgement.Set, _set))
        {
            foreach (var policy in judgement.Set.Policies)
            {
                if ((judgement.FromSlices & (1u << policy.Index)) != 0)
                    slices.Return(policy, judgement.Keys.Of(policy.Policy.Dimension), judgement.CostOf(policy), judgement.TakenAt);
            }

            foreach (var ask in judgement.Asks ?? [])
                foreach (var (policy, part) in ask.Parts)
                    if (part.Tokens > 0) slices.Return(policy, ask.Key, part.Tokens, part.TakenAt);
        }

        foreach (var ask in judgement.Asks ?? []) ask.ReturnToGrain();
    }

    private long Millis(long ticks) => ClockTicks.ToMillis(ticks, timeProvider.TimestampFrequency);

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "The shadow policy {Policy} would have refused {Count} calls since it was last told.")]
        public static partial void WouldRefuse(ILogger logger, string policy, int count);

        [LoggerMessage(2, LogLevel.Warning, "{Count} times since this was last told a quota could not be asked, last {Status}: {Reason}")]
        public static partial void NotAsked(ILogger logger, int count, CallStatus status, string reason);
    }
}
