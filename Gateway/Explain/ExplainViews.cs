using HeartGrains.Gateway.Resilience;

namespace HeartGrains.Gateway.Explain;

/// <summary>The answer of <c>GET /explain</c>. A part that could not be had is null, and named in <paramref name="Unknown"/>.</summary>
internal sealed record ExplainView(
    string TargetId, string UserId, HeartView? Heart, TargetView? Target, UserView? User, EventView[]? Events, QuotaView[]? Quotas, GrainView? Grain,
    BreakerView[] Breakers, LedgerView? Ledger, string[] Unknown);

/// <summary>The user's heart for the target.</summary>
internal sealed record HeartView(bool? Hearted, string? Since, EventView? Event, string? Quarantine);

/// <summary>The target as its activation sees it.</summary>
internal sealed record TargetView(long Count, long Version, long Opening, bool Frozen, string? MovedTo, string? Reason, string? Since);

/// <summary>What the silo holds of the user.</summary>
internal sealed record UserView(bool Blocked, string? Until);

/// <summary>An event about the pair.</summary>
internal sealed record EventView(string Id, string Kind, string? At, long Version, string Actor, string Cause, string? Job, string? Reason);

/// <summary>How the user stands with a policy.</summary>
internal sealed record QuotaView(string Policy, string Dimension, long Limit, long Remaining, long ResetSeconds, bool Shadow);

/// <summary>Where the target's activation is, and how that silo's breakers stand.</summary>
internal sealed record GrainView(string Silo, string Address, string Activation, BreakerView[] Breakers);

/// <summary>How far the lists are behind the log.</summary>
internal sealed record LedgerView(double FoldLagSeconds);
