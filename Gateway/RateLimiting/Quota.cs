using HeartGrains.Gateway.Resilience;
using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// Judges a request by every policy that applies: this gateway's slices first, and the grain of each key whose slice does not cover the cost. All or
/// nothing: what one policy gave is put back when another refuses. A grain that cannot be asked is an outage, and never a refusal.
/// </summary>
internal sealed partial class Quota(QuotaSlices slices, GrainCalls calls, TimeProvider timeProvider, ILogger<Quota> logger)
{
    private const int WarmUpCalls = 12;

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

    /// <summary>Takes <paramref name="tokens"/> under every policy; 0 stands for what a heart costs.</summary>
    public ValueTask<QuotaJudgement> AcquireAsync(in QuotaKeys keys, long tokens, CancellationToken cancellationToken)
    {
        var set = _set;
        var judgement = new QuotaJudgement(set, keys, tokens);
        var pending = 0u;
        foreach (var policy in set.Policies)
        {
            var cost = judgement.CostOf(policy);
            if (cost == 0) continue;
            if (slices.TryTake(policy, keys.Of(policy.Policy.Dimension), cost, out var level))
            {
                policy.Metrics.AdmittedBySlice();
                judgement.TookSlice(policy, level);
                judgement.Show(policy, level.Tokens, Millis(level.TicksUntilFull));
            }
            else
            {
                pending |= 1u << policy.Index;
            }
        }

        return pending == 0 ? new(judgement) : AskAsync(judgement, pending, cancellationToken);
    }

    /// <summary>Puts back what was taken for a call that then failed for our fault.</summary>
    public void Return(in QuotaJudgement judgement)
    {
        if (judgement.Status != QuotaStatus.Admitted) return;
        QuotaMetrics.Return();
        PutBack(judgement);
    }

    /// <summary>How the keys stand with each policy that applies to them, without taking.</summary>
    public async Task<List<QuotaStanding>> ReadAsync(QuotaKeys keys, CancellationToken cancellationToken)
    {
        var standings = new List<QuotaStanding>();
        foreach (var dimension in Enum.GetValues<QuotaDimension>())
        {
            if (keys.Of(dimension) is not { } key) continue;
            var policies = Array.FindAll(_set.Policies, policy => policy.Policy.Dimension == dimension);
            if (policies.Length == 0) continue;

            var look = new QuotaLook(dimension, key, Array.ConvertAll(policies, policy => policy.Policy.Name)) { RequestAborted = cancellationToken };
            var status = await calls.CallAsync(look);
            foreach (var (index, policy) in policies.Index())
            {
                if (status != CallStatus.Answered)
                {
                    standings.Add(new QuotaStanding(policy, false, 0, 0));
                    continue;
                }

                // A grain does not know a policy that was just taken away; it applies no more.
                var verdict = look.Value[index];
                if (verdict == QuotaVerdict.Unknown) continue;
                var slice = slices.Look(policy, key);
                standings.Add(new QuotaStanding(policy, true, verdict.Remaining + slice.Tokens, Math.Max(verdict.ResetMillis, Millis(slice.TicksUntilFull))));
            }
        }

        return standings;
    }

    /// <summary>Makes a user's quotas whole, at the grain and in this gateway's slices. False when the grain could not be asked.</summary>
    public async Task<bool> ResetAsync(string userId, CancellationToken cancellationToken)
    {
        var status = await calls.CallAsync(new QuotaReset(QuotaDimension.User, userId) { RequestAborted = cancellationToken });
        if (status != CallStatus.Answered) return false;
        foreach (var policy in _set.Policies)
            if (policy.Policy.Dimension == QuotaDimension.User) slices.Reset(policy, userId);
        return true;
    }

    /// <summary>
    /// Asks grains of no user once, so that the first users do not wait for code to be compiled: a quota has little time to answer.
    /// </summary>
    public async Task WarmUpAsync(CancellationToken cancellationToken)
    {
        var policies = Array.FindAll(_set.Policies, policy => policy.Policy.Dimension == QuotaDimension.User);
        for (var call = 0; call < WarmUpCalls && policies.Length > 0; call++)
        {
            // No user has a control character in its id.
            var ask = new QuotaAsk(QuotaDimension.User, "\u0001" + call) { RequestAborted = cancellationToken };
            foreach (var policy in policies) ask.Add(policy, default, 1);
            await ask.SendAsync(calls);
            ask.ReturnToGrain();
        }
    }

    private async ValueTask<QuotaJudgement> AskAsync(QuotaJudgement judgement, uint pending, CancellationToken cancellationToken)
    {
        var asks = judgement.Asks = Prepare(judgement, pending, cancellationToken);
        await Task.WhenAll(Array.ConvertAll(asks, ask => ask.SendAsync(calls)));

        foreach (var ask in asks)
            if (ask.Status != CallStatus.Answered) Miss(ref judgement, ask);
        foreach (var ask in asks)
            if (ask.Status == CallStatus.Answered) Weigh(ref judgement, ask);

        if (judgement.Status != QuotaStatus.Admitted) PutBack(judgement);
        return judgement;
    }

    /// <summary>One call for each dimension that its slices do not cover; what a slice has goes towards the cost.</summary>
    private QuotaAsk[] Prepare(in QuotaJudgement judgement, uint pending, CancellationToken cancellationToken)
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
            ask.Add(policy, new SlicePart(part, level.FullAt), cost - part);
        }

        return [.. asks];
    }

    private static void Miss(ref QuotaJudgement judgement, QuotaAsk ask)
    {
        if (ask.Status == CallStatus.Aborted)
        {
            judgement.Status = QuotaStatus.Aborted;
            return;
        }

        foreach (var (policy, _) in ask.Parts)
        {
            if (policy.Policy.AdmitsOnOutage || policy.Policy.IsShadow)
            {
                policy.Metrics.OutageAdmitted();
                continue;
            }

            policy.Metrics.OutageRefused();
            judgement.Status = QuotaStatus.Unavailable;
        }
    }

    private void Weigh(ref QuotaJudgement judgement, QuotaAsk ask)
    {
        foreach (var (index, (policy, part)) in ask.Parts.Index())
        {
            var verdict = ask.Value.Verdicts[index];
            if (verdict == QuotaVerdict.Unknown) continue;

            var slice = slices.Look(policy, ask.Key);
            if (verdict.IsWithin)
            {
                if (ask.Value.IsAcquired) policy.Metrics.AdmittedByGrain();
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
                judgement.Show(policy, verdict.Remaining + slice.Tokens + part.Tokens, Math.Max(verdict.ResetMillis, Millis(slice.TicksUntilFull)));
                var bySlice = part.Tokens > 0 ? long.MaxValue : Millis(slice.TicksUntil(judgement.CostOf(policy)));
                judgement.RetryAfterMillis = Math.Max(judgement.RetryAfterMillis, Math.Min(verdict.RetryAfterMillis, bySlice));
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
                    slices.Return(policy, judgement.Keys.Of(policy.Policy.Dimension), judgement.CostOf(policy), judgement.FirstFullAt);
            }

            foreach (var ask in judgement.Asks ?? [])
                foreach (var (policy, part) in ask.Parts)
                    if (part.Tokens > 0) slices.Return(policy, ask.Key, part.Tokens, part.FullAt);
        }

        foreach (var ask in judgement.Asks ?? []) ask.ReturnToGrain();
    }

    private long Millis(long ticks)
    {
        if (ticks == long.MaxValue) return long.MaxValue;
        var frequency = timeProvider.TimestampFrequency;
        return ticks <= 0 ? 0 : (long)(((Int128)ticks * 1000 + frequency - 1) / frequency);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "The shadow policy {Policy} would have refused {Count} calls since it was last told.")]
        public static partial void WouldRefuse(ILogger logger, string policy, int count);
    }
}

/// <summary>How a key stands with a policy, as far as this gateway can give and the grain knows.</summary>
internal readonly record struct QuotaStanding(SlicedPolicy Policy, bool IsKnown, long Remaining, long ResetMillis);
