using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.Moderation;

namespace HeartGrains.Gateway.Moderation;

/// <summary>Freezes a target or lets it go.</summary>
internal sealed class FreezeCall(string targetId, bool isFrozen, string reason, HeartOrigin origin) : GrainCall<RuleReceipt>
{
    private ITargetRuleGrain _grain = null!;

    public override GrainPath Path => GrainPath.Desk;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Rule(targetId);

    protected override ValueTask<RuleReceipt> SendAsync(CancellationToken cancellationToken) => _grain.FreezeAsync(isFrozen, reason, origin, cancellationToken);

    protected override HeartOutcome OutcomeOf(in RuleReceipt value) => value.Outcome;
}

/// <summary>Blocks a user, or ends that with 0.</summary>
internal sealed class BlockCall(string userId, long untilMicros, string reason, HeartOrigin origin) : GrainCall<BlockReceipt>
{
    private IModerationGrain _grain = null!;

    public override GrainPath Path => GrainPath.Desk;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Moderation();

    protected override ValueTask<BlockReceipt> SendAsync(CancellationToken cancellationToken) =>
        _grain.BlockAsync(userId, untilMicros, reason, origin, cancellationToken);

    protected override HeartOutcome OutcomeOf(in BlockReceipt value) => value.Outcome;
}

/// <summary>Lists who is blocked.</summary>
internal sealed class BlocksRead(long after, int limit) : GrainCall<BlockedUsers>
{
    private IModerationGrain _grain = null!;

    public override GrainPath Path => GrainPath.Desk;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Moderation();

    protected override ValueTask<BlockedUsers> SendAsync(CancellationToken cancellationToken) => _grain.BlocksAsync(after, limit, cancellationToken);

    protected override HeartOutcome OutcomeOf(in BlockedUsers value) => value.IsAvailable ? HeartOutcome.Committed : HeartOutcome.LedgerUnavailable;
}

/// <summary>Asks the target's activation how it sees target and user.</summary>
internal sealed class ReportRead(string targetId, string? userId) : GrainCall<TargetReport>
{
    private ITargetRuleGrain _grain = null!;

    public override GrainPath Path => GrainPath.Desk;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Rule(targetId);

    protected override ValueTask<TargetReport> SendAsync(CancellationToken cancellationToken) => _grain.ExplainAsync(userId, cancellationToken);

    protected override HeartOutcome OutcomeOf(in TargetReport value) => HeartOutcome.Committed;
}

/// <summary>Asks the ledger what it knows of target and user.</summary>
internal sealed class PairRead(string targetId, string userId) : GrainCall<PairReport>
{
    private IModerationGrain _grain = null!;

    public override GrainPath Path => GrainPath.Desk;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Moderation();

    protected override ValueTask<PairReport> SendAsync(CancellationToken cancellationToken) => _grain.PairAsync(targetId, userId, cancellationToken);

    protected override HeartOutcome OutcomeOf(in PairReport value) => HeartOutcome.Committed;
}
