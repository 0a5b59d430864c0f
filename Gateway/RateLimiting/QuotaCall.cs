using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>Takes one token at the user's grain. Made again after a failure it may take a second one: the user's loss, never a gain.</summary>
internal sealed class QuotaCall(string userId) : GrainCall<RateLimitDecision>
{
    private IRateLimitGrain _grain = null!;

    public override void Address(GrainAddresses addresses) => _grain = addresses.RateLimit(userId);

    protected override ValueTask<RateLimitDecision> SendAsync(CancellationToken cancellationToken) => _grain.AcquireAsync(1, cancellationToken);

    // A refusal is a definite answer too.
    protected override HeartOutcome OutcomeOf(in RateLimitDecision value) => HeartOutcome.Committed;
}
