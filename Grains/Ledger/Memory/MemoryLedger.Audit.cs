using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Moderation;

namespace HeartGrains.Ledger.Memory;

/// <summary>The log's seals, and what is stored of targets, for comparing it with the log and making it anew.</summary>
public sealed partial class MemoryLedger
{
    // Both guarded by _appending.
    private readonly List<EventSeal> _seals = [];
    private (WatchPlace Place, long UntilMicros) _watch;

    /// <inheritdoc/>
    public ValueTask<EventSeal?> SealAsync(int limit, long known, EventChain chain, long atMicros, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            var last = _seals.Count == 0 ? null : _seals[^1];
            var from = last?.Position ?? 0;
            var position = Math.Min(_order.Count, from + limit);
            if (position == from || known > _seals.Count) return new((EventSeal?)null);
            chain.Start(last?.Hash ?? EventChain.Origin, _seals.Count + 1);
            for (var order = from + 1; order <= position; order++) chain.Add(RawAt(order));
            var seal = chain.Finish(position, atMicros);
            _seals.Add(seal);
            return new(seal);
        }
    }

    /// <inheritdoc/>
    public ValueTask<EventSeal?> FindLastSealAsync(CancellationToken cancellationToken)
    {
        lock (_appending) return new(_seals.Count == 0 ? null : _seals[^1]);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<EventSeal>> ReadSealsAsync(long from, int limit, CancellationToken cancellationToken)
    {
        lock (_appending) return new([.. _seals.Skip((int)from - 1).Take(limit)]);
    }

    /// <inheritdoc/>
    public ValueTask<long?> FindUnsealedAsync(CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            var from = _seals.Count == 0 ? 0 : _seals[^1].Position;
            return new(from < _order.Count ? RawAt(from + 1).AtMicros : null);
        }
    }

    /// <inheritdoc/>
    public ValueTask ScanAsync(long after, long upTo, RawEventReader read, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            for (var order = after + 1; order <= Math.Min(upTo, _order.Count); order++) read(RawAt(order));
        }

        return default;
    }

    /// <inheritdoc/>
    public ValueTask ScanTargetAsync(Guid target, ITargetReader reader, CancellationToken cancellationToken)
    {
        if (_targets.TryGetValue(target, out var found)) found.Show(reader);
        else reader.Read(new StoredTarget(null, 0, 0, long.MaxValue));
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<Guid>> ListTargetsAsync(Guid after, int limit, CancellationToken cancellationToken)
    {
        lock (_appending)
            return new([.. _targets.Keys.Concat(_rules.Keys).Concat(_decisions.Select(static decision => decision.About).OfType<Guid>()).Distinct().Where(target => target.CompareTo(after) > 0).Order().Take(limit)]);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyDictionary<Guid, string>> FindNamesAsync(IReadOnlyCollection<Guid> targets, CancellationToken cancellationToken)
    {
        var names = new Dictionary<Guid, string>();
        foreach (var target in targets)
            if (_targets.TryGetValue(target, out var found)) names[target] = found.TargetId;
        return new(names);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<string>> FindDecisionsAsync(string job, CancellationToken cancellationToken)
    {
        lock (_appending) return new([.. _decisions.Where(decision => decision.Origin.Job == job).Select(static decision => decision.Detail!)]);
    }

    /// <inheritdoc/>
    public ValueTask RebuildAsync(Guid target, CancellationToken cancellationToken)
    {
        if (_targets.TryGetValue(target, out var found)) found.Rebuild();
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<TargetAt> FindAsOfAsync(Guid target, long atMicros, CancellationToken cancellationToken) =>
        new(_targets.TryGetValue(target, out var found) ? found.FindAsOf(atMicros) : new TargetAt(true, 0, 0));

    /// <inheritdoc/>
    public ValueTask<OpeningAt> FindOpeningAsync(Guid target, long atMicros, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            var decided = _decisions.Where(decision => decision.About == target).Select(static decision => (decision.AtMicros, Set: OpeningSet.Read(decision.Detail!)))
                .Where(static decision => decision.Set is not null).ToList();
            var last = decided.FindLast(decision => decision.AtMicros <= atMicros).Set?.Opening ?? decided.FirstOrDefault().Set?.OpeningBefore;
            return new(new OpeningAt(_openings.GetValueOrDefault(target), last));
        }
    }

    /// <inheritdoc/>
    public ValueTask<RuleOrders> FindRuleOrdersAsync(Guid target, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            var rule = _rules.GetValueOrDefault(target);
            return new(new RuleOrders(
                rule is null ? null : new StoredRule(null, rule.IsFrozen, rule.MovedTo, _moves.TryGetValue(target, out var move) ? move.To : null, rule.Reason, rule.AtMicros),
                [.. _decisions.Where(decision => decision.About == target && ModerationDetail.ActionOf(decision.Detail!) is "frozen" or "unfrozen" or "moved")
                    .Select(static decision => new RuleDecision(decision.Position.Version, decision.AtMicros, decision.Detail!))]));
        }
    }

    /// <inheritdoc/>
    public ValueTask<BlockOrders> FindBlockOrdersAsync(HeartId user, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            var last = _decisions.FindLast(decision => decision.Heart == user && ModerationDetail.ActionOf(decision.Detail!) is "blocked" or "unblocked");
            return new(new BlockOrders(_blocks.GetValueOrDefault(user).UntilMicros, last is null ? null : new RuleDecision(last.Position.Version, last.AtMicros, last.Detail!)));
        }
    }

    /// <inheritdoc/>
    public ValueTask<long> CountStrayBlocksAsync(long nowMicros, CancellationToken cancellationToken)
    {
        lock (_appending) return new(_blocks.LongCount(block => block.Value.UntilMicros > nowMicros && _decisions[(int)block.Value.Decided - 1].Heart != block.Key));
    }

    /// <inheritdoc/>
    public ValueTask<WatchPlace?> TryTakeTurnAsync(long nowMicros, long untilMicros, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            if (_watch.UntilMicros > nowMicros) return new((WatchPlace?)null);
            _watch.UntilMicros = untilMicros;
            return new(_watch.Place);
        }
    }

    /// <inheritdoc/>
    public ValueTask EndTurnAsync(WatchPlace place, long nextMicros, CancellationToken cancellationToken)
    {
        lock (_appending) _watch = (place, nextMicros);
        return default;
    }

    private RawEvent RawAt(long order)
    {
        var (target, version) = _order[(int)order - 1];
        return RawEvent.Of(target?.Describe(order, version) ?? _decisions[version - 1]);
    }
}
