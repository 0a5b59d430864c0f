using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>What the quotas said of a request.</summary>
internal enum QuotaStatus
{
    /// <summary>It may go on.</summary>
    Admitted,

    /// <summary>A policy is spent; nothing was taken.</summary>
    Refused,

    /// <summary>A policy could not be asked, and refuses then; nothing was taken.</summary>
    Unavailable,

    /// <summary>The client went away.</summary>
    Aborted,
}

/// <summary>The quotas' answer to one request, and what was taken for it.</summary>
internal struct QuotaJudgement(PolicySet set, QuotaKeys keys, long tokens)
{
    // A policy that refuses holds less than the cost.
    private const double RefusingFirst = 2;

    private double _tightness = double.MaxValue;
    private long _takenAt = long.MaxValue;

    public readonly PolicySet Set => set;

    public readonly QuotaKeys Keys => keys;

    /// <summary>Each policy has its own cost for it.</summary>
    public readonly bool IsHeart => tokens == 0;

    public QuotaStatus Status { get; set; }

    /// <summary>Policies whose whole cost came from the slice, as bits.</summary>
    public uint FromSlices { get; private set; }

    /// <summary>What grains were asked; null when slices were enough.</summary>
    public List<QuotaAsk>? Asks { get; set; }

    /// <summary>The policy that leaves the least, by how often the same call would still fit; null when none applied.</summary>
    public SlicedPolicy? Tightest { get; private set; }

    /// <summary>Tokens left under <see cref="Tightest"/>, as far as who decided knows.</summary>
    public long Remaining { get; private set; }

    /// <summary>Until <see cref="Tightest"/> is whole, if nothing else is taken.</summary>
    public long ResetMillis { get; private set; }

    /// <summary>Policies that refused.</summary>
    public uint Violated { get; set; }

    /// <summary>When refused: until the same call fits; <see cref="long.MaxValue"/> when it never will.</summary>
    public long RetryAfterMillis { get; set; }

    /// <summary>What the request costs under a policy; 0 when the policy does not judge it.</summary>
    public readonly long CostOf(SlicedPolicy policy) =>
        keys.Of(policy.Policy.Dimension) is null ? 0 : tokens == 0 ? policy.Policy.HeartCost : tokens;

    /// <summary>When the first of those slices gave.</summary>
    public readonly long TakenAt => _takenAt;

    public void TookSlice(SlicedPolicy policy, in SliceLevel level)
    {
        FromSlices |= 1u << policy.Index;
        _takenAt = Math.Min(_takenAt, level.Now);
    }

    /// <summary>Takes note of what a policy leaves. One that refuses comes before all that do not.</summary>
    public void Show(SlicedPolicy policy, long remaining, long resetMillis, bool isRefusing = false)
    {
        if (policy.Policy.IsShadow) return;
        var tightness = (double)remaining / CostOf(policy) - (isRefusing ? RefusingFirst : 0);
        if (tightness >= _tightness) return;
        (_tightness, Tightest, Remaining, ResetMillis) = (tightness, policy, remaining, resetMillis);
    }
}
