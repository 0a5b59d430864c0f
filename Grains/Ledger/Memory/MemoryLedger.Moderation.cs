using System.Collections.Concurrent;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Moderation;

namespace HeartGrains.Ledger.Memory;

/// <summary>What operators told targets and users. Changes are guarded by _appending.</summary>
public sealed partial class MemoryLedger : IModerationStore
{
    private readonly ConcurrentDictionary<Guid, TargetRule> _rules = new();
    private readonly Dictionary<Guid, (Guid To, string ToId)> _moves = [];
    private readonly Dictionary<HeartId, (long UntilMicros, long ChangedMicros, long Revision, long Decided)> _blocks = [];
    private readonly Dictionary<string, Quarantine> _quarantines = [];
    private readonly Dictionary<string, SortedSet<HeldHeart>> _held = [];
    private long _blockRevision;

    private static IComparer<HeldHeart> ByPlace { get; } = Comparer<HeldHeart>.Create(
        static (left, right) => left.Target.CompareTo(right.Target) is var order and not 0 ? order : left.Version.CompareTo(right.Version));

    /// <inheritdoc/>
    public ValueTask<RuleChange> FreezeAsync(Guid target, string targetId, bool isFrozen, string reason, Decision decision, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            var rule = _rules.GetValueOrDefault(target);
            if ((rule?.IsFrozen ?? false) == isFrozen) return new(new RuleChange(false, rule));
            Decide(decision);
            rule = new TargetRule(isFrozen, rule?.MovedTo, reason, decision.AtMicros);
            if (rule is { IsFrozen: false, MovedTo: null })
            {
                _rules.TryRemove(target, out _);
                return new(new RuleChange(true, null));
            }

            return new(new RuleChange(true, _rules[target] = rule));
        }
    }

    /// <inheritdoc/>
    public ValueTask<RuleChange> RedirectAsync(
        Guid target, string targetId, Guid to, string toId, string reason, Decision decision, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            var rule = _rules.GetValueOrDefault(target);
            var isThere = false;
            for (var hops = 0; ; hops++)
            {
                isThere |= rule?.MovedTo == toId;
                if (to == target) return new(new RuleChange(false, rule, RuleRefusal.Cycle));
                if (!_moves.TryGetValue(to, out var next)) break;
                if (hops == ModerationLimits.Chain) return new(new RuleChange(false, rule, RuleRefusal.ChainTooLong));
                (to, toId) = next;
            }

            if (rule?.MovedTo is not null) return new(new RuleChange(false, rule, isThere ? RuleRefusal.None : RuleRefusal.MovedElsewhere));
            if (MeasureChain(target) >= ModerationLimits.Chain) return new(new RuleChange(false, rule, RuleRefusal.ChainTooLong));
            Decide(decision);
            _moves[target] = (to, toId);
            return new(new RuleChange(true, _rules[target] = new TargetRule(rule?.IsFrozen ?? false, toId, reason, decision.AtMicros)));
        }
    }

    /// <inheritdoc/>
    public ValueTask<TargetRule?> FindRuleAsync(Guid target, CancellationToken cancellationToken) => new(_rules.GetValueOrDefault(target));

    /// <inheritdoc/>
    public ValueTask<long> MoveOpeningAsync(Guid from, string fromId, Guid to, string toId, OpeningDecision decide, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            var (moved, kept) = (_openings.GetValueOrDefault(from), _openings.GetValueOrDefault(to));
            if (moved == 0) return new(kept);
            WriteOpening(from, fromId, moved, 0, decide);
            WriteOpening(to, toId, kept, kept + moved, decide);
            return new(kept + moved);
        }
    }

    /// <inheritdoc/>
    public ValueTask<long> CountMovedAsync(Guid target, string job, CancellationToken cancellationToken)
    {
        if (!_targets.TryGetValue(target, out var found)) return new(0);
        var events = Enumerable.Range(1, (int)found.Version).Select(version => found.Describe(0, version));
        return new(events.LongCount(logged => logged.Kind == HeartEventKind.Withdrawn && logged.Origin.Job == job));
    }

    /// <inheritdoc/>
    public ValueTask<BlockChange> BlockAsync(HeartId user, long untilMicros, Decision decision, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            var now = decision.AtMicros;
            var known = _blocks.GetValueOrDefault(user);
            var isBlocked = known.UntilMicros > now;
            if (isBlocked ? known.UntilMicros == untilMicros : untilMicros == 0) return new(new BlockChange(false, known.Revision));
            if (!isBlocked && _blocks.Values.Count(block => block.UntilMicros > now) >= ModerationLimits.Blocks)
                return new(new BlockChange(false, known.Revision, RuleRefusal.TooManyBlocks));
            foreach (var (key, block) in _blocks)
                if (Math.Max(block.UntilMicros, block.ChangedMicros) <= now - ModerationLimits.EndedBlockMicros) _blocks.Remove(key);
            _blocks[user] = (untilMicros, now, ++_blockRevision, Decide(decision).Version);
            return new(new BlockChange(true, _blockRevision));
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<BlockEntry>> ReadBlocksAsync(long after, int limit, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            if (after == _blockRevision) return new([]);
            return new([.. _blocks.Where(block => block.Value.Revision > after).OrderBy(block => block.Value.Revision).Take(limit)
                .Select(block => new BlockEntry(block.Key, block.Value.UntilMicros, block.Value.Revision))]);
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<BlockedUser>> ListBlocksAsync(long after, long nowMicros, int limit, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            return new([.. _blocks.Values.Where(block => block.Revision > after && block.UntilMicros > nowMicros).OrderBy(block => block.Revision).Take(limit)
                .Select(Describe)]);
        }
    }

    /// <inheritdoc/>
    public ValueTask<BlockedUser?> FindBlockAsync(HeartId user, long nowMicros, CancellationToken cancellationToken)
    {
        lock (_appending) return new(_blocks.TryGetValue(user, out var block) && block.UntilMicros > nowMicros ? Describe(block) : null);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<LoggedEvent>> ListLatestAsync(Guid target, string userId, int limit, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            var found = new List<LoggedEvent>();
            for (var order = _order.Count; order > 0 && found.Count < limit; order--)
            {
                var (of, version) = _order[order - 1];
                var logged = of is null ? _decisions[version - 1] : of.Key == target ? of.Describe(order, version) : null;
                if (logged?.UserId == userId && (of is not null || logged.About == target)) found.Add(logged);
            }

            return new(found);
        }
    }

    /// <inheritdoc/>
    public ValueTask<long?> FindOldestUnfoldedAsync(CancellationToken cancellationToken) => new((long?)null);

    private BlockedUser Describe((long UntilMicros, long ChangedMicros, long Revision, long Decided) block)
    {
        var decision = _decisions[(int)block.Decided - 1];
        return new BlockedUser(
            decision.UserId, block.UntilMicros, block.ChangedMicros, ModerationDetail.ReasonOf(decision.Detail!) ?? "", decision.Origin.Actor, block.Revision);
    }

    private void WriteOpening(Guid target, string targetId, long before, long opening, OpeningDecision decide)
    {
        if (opening == 0) _openings.TryRemove(target, out _);
        else _openings[target] = opening;
        Decide(decide(target, targetId, before, opening));
    }

    private int MeasureChain(Guid target)
    {
        var hops = 0;
        for (HashSet<Guid> reached = [target]; hops < ModerationLimits.Chain; hops++)
        {
            reached = [.. _moves.Where(move => reached.Contains(move.Value.To)).Select(move => move.Key)];
            if (reached.Count == 0) break;
        }

        return hops;
    }
}
