using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>Claims made of one grain, for the policies of one dimension. Never made twice: a lost answer may have taken tokens.</summary>
internal sealed class QuotaAsk(QuotaDimension dimension, string key) : GrainCall<QuotaDecision>
{
    private readonly List<QuotaClaim> _claims = new(1);
    private readonly List<(SlicedPolicy Policy, SlicePart Part)> _parts = new(1);
    private IRateLimitGrain _grain = null!;

    public string Key => key;

    public QuotaDimension Dimension => dimension;

    /// <summary>The policies asked about, in the order of the claims, each with what its slice gave towards the cost.</summary>
    public IReadOnlyList<(SlicedPolicy Policy, SlicePart Part)> Parts => _parts;

    public override GrainPath Path => IsProbe ? GrainPath.Probe : GrainPath.Quota;

    /// <summary>Made to find out whether the grain answers.</summary>
    public bool IsProbe { get; init; }

    /// <summary>How the call ended, once it has.</summary>
    public CallStatus Status { get; private set; } = CallStatus.Unknown;

    public void Add(SlicedPolicy policy, SlicePart part, long grainTokens)
    {
        _parts.Add((policy, part));
        _claims.Add(new QuotaClaim(policy.Policy.Name, grainTokens));
    }

    public async Task SendAsync(GrainCalls calls)
    {
        Status = await calls.CallAsync(this);
        if (Status != CallStatus.Answered) return;
        foreach (var (index, (policy, _)) in _parts.Index())
            if (Value.Verdicts[index].Limit > 0) policy.GrainLimit = Value.Verdicts[index].Limit;
    }

    /// <summary>Gives back what the grain gave; nobody waits for it.</summary>
    public void ReturnToGrain()
    {
        if (Status != CallStatus.Answered || !Value.IsAcquired) return;
        var taken = _claims.Where((_, index) => Value.Verdicts[index].IsWithin && Value.Verdicts[index] != QuotaVerdict.Unknown).ToArray();
        if (taken.Length > 0) _ = _grain.ReturnAsync(taken, Value.Receipt);
    }

    public override void Address(GrainAddresses addresses) => _grain = addresses.RateLimit(dimension, key);

    protected override ValueTask<QuotaDecision> SendAsync(CancellationToken cancellationToken) => _grain.AcquireAsync([.. _claims], cancellationToken);

    // A refusal is a definite answer too.
    protected override HeartOutcome OutcomeOf(in QuotaDecision value) => HeartOutcome.Committed;
}

/// <summary>What a slice gave towards a cost, and when.</summary>
internal readonly record struct SlicePart(long Tokens, long TakenAt);
