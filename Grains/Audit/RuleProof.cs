using HeartGrains.Hearts;
using HeartGrains.Moderation;

namespace HeartGrains.Audit;

/// <summary>Holds what a target is told against what operators decided about it.</summary>
internal sealed class RuleProof(IAuditStore store, HeartKeys keys)
{
    /// <summary>What is wrong with a target's rule; null when nothing is. Of a target that has no log the name is known by the rule or by what was decided.</summary>
    public async Task<Finding?> CheckAsync(Guid target, string? targetId, CancellationToken cancellationToken)
    {
        var (stored, decided) = await store.FindRuleOrdersAsync(target, cancellationToken);
        if (await CompareAsync(target, stored, decided, cancellationToken) is not { } wrong) return null;
        return new Finding(FindingKinds.Rule, targetId ?? (decided.Count > 0 ? ModerationDetail.TargetOf(decided[^1].Detail) : stored?.TargetId), null, wrong);
    }

    private async Task<string?> CompareAsync(Guid target, StoredRule? stored, IReadOnlyList<RuleDecision> decided, CancellationToken cancellationToken)
    {
        var isFrozen = decided.LastOrDefault(static decision => !IsMove(decision)) is { Detail: { } detail } && ModerationDetail.ActionOf(detail) == "frozen";
        var move = decided.LastOrDefault(IsMove);
        if ((stored?.IsFrozen ?? false) != isFrozen || stored?.MovedTo is null != move is null)
            return $"the target is {Describe(stored?.IsFrozen ?? false, stored?.MovedTo is not null)} where {Describe(isFrozen, move is not null)} was decided";
        if (stored is null || (!isFrozen && move is null)) return null;
        if (move is not null && (stored.MovedTo != await FindPlaceAsync(move, cancellationToken) || stored.MovedKey != keys.OfTarget(stored.MovedTo!))) return "the target is moved to another one than was decided";
        if (stored.TargetId is { } name && keys.OfTarget(name) != target) return "the target's rule has another target's name";
        return stored.Reason == ModerationDetail.ReasonOf(decided[^1].Detail) && stored.AtMicros == decided[^1].AtMicros ? null : "the target's rule has another reason or time than was decided";
    }

    /// <summary>Where a move led: what it names, or where that had been moved by then.</summary>
    private async Task<string?> FindPlaceAsync(RuleDecision move, CancellationToken cancellationToken)
    {
        var names = new HashSet<string>();
        var place = ModerationDetail.ToOf(move.Detail);
        while (place is not null && names.Add(place))
        {
            var decided = (await store.FindRuleOrdersAsync(keys.OfTarget(place), cancellationToken)).Decided;
            if (decided.LastOrDefault(decision => IsMove(decision) && decision.Version < move.Version) is not { } next) return place;
            place = ModerationDetail.ToOf(next.Detail);
        }

        return null;
    }

    private static bool IsMove(RuleDecision decision) => ModerationDetail.ActionOf(decision.Detail) == ModerationDetail.Moved;

    private static string Describe(bool isFrozen, bool isMoved) => (isFrozen, isMoved) switch
    {
        (true, true) => "frozen and moved",
        (true, false) => "frozen",
        (false, true) => "moved",
        _ => "neither frozen nor moved",
    };
}
