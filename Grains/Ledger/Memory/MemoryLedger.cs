using System.Collections.Concurrent;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Users;

namespace HeartGrains.Ledger.Memory;

/// <summary>A ledger that lives as long as the process. Its projections are never behind, so there is nothing to fold.</summary>
public sealed partial class MemoryLedger : IHeartLedger, IEventLog, ISealStore, IAuditStore, IJobStore, IUserLog
{
    private readonly ConcurrentDictionary<Guid, MemoryTarget> _targets = new();
    private readonly ConcurrentDictionary<Guid, long> _openings = new();
    private readonly Lock _appending = new();
    private string? _keyFingerprint;

    /// <inheritdoc/>
    public Task InitializeAsync(string keyFingerprint, CancellationToken cancellationToken)
    {
        var kept = Interlocked.CompareExchange(ref _keyFingerprint, keyFingerprint, null) ?? keyFingerprint;
        return kept == keyFingerprint
            ? Task.CompletedTask
            : Task.FromException(new LedgerException("The hearts in memory were given under another key: their ids would not match."));
    }

    /// <inheritdoc/>
    public ValueTask<AppendOutcome> AppendAsync(ReadOnlyMemory<HeartEvent> batch)
    {
        var events = batch.Span;
        lock (_appending)
        {
            // Appends take turns, so versions checked in the first pass still hold in the second.
            for (var start = 0; start < events.Length;)
            {
                var end = EndOfTarget(events, start);
                var next = _targets.TryGetValue(events[start].Target, out var target) ? target.Version + 1 : 1;
                if (events[start].Version < next)
                    return new ValueTask<AppendOutcome>(AppendOutcome.Conflict);
                for (var i = start; i < end; i++, next++)
                {
                    if (events[i].Version != next)
                        return new ValueTask<AppendOutcome>(AppendOutcome.Poison);
                }

                start = end;
            }

            for (var start = 0; start < events.Length;)
            {
                var end = EndOfTarget(events, start);
                if (!_targets.TryGetValue(events[start].Target, out var target))
                    target = _targets[events[start].Target] = new MemoryTarget(events[start].Target, events[start].TargetId);
                target.Append(events[start..end]);
                Order(target, events[start..end]);
                start = end;
            }
        }

        return new ValueTask<AppendOutcome>(AppendOutcome.Committed);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<WrittenVersion>> FindVersionsAsync(ReadOnlyMemory<HeartEvent> batch, CancellationToken cancellationToken)
    {
        var found = new List<WrittenVersion>();
        foreach (ref readonly var key in batch.Span)
        {
            if (_targets.TryGetValue(key.Target, out var target) && target.FindWriter(key.Version) is { } writer)
                found.Add(new WrittenVersion(key.Target, key.Version, writer));
        }

        return new ValueTask<IReadOnlyList<WrittenVersion>>(found);
    }

    /// <inheritdoc/>
    public ValueTask<TargetSnapshot> LoadAsync(Guid target, int recentLimit, CancellationToken cancellationToken) =>
        new((_targets.TryGetValue(target, out var found) ? found.Load(recentLimit) : new TargetSnapshot(0, 0, [], [])) with
        {
            Opening = _openings.GetValueOrDefault(target),
            Rule = _rules.GetValueOrDefault(target),
        });

    /// <inheritdoc/>
    public ValueTask<CurrentHeart?> FindHeartAsync(Guid target, HeartId heart, CancellationToken cancellationToken) =>
        new(_targets.TryGetValue(target, out var found) ? found.Find(heart) : null);

    /// <inheritdoc/>
    public ValueTask<bool> SetOpeningAsync(Guid target, string targetId, long opening, OpeningDecision decide, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            var before = _openings.GetValueOrDefault(target);
            if (before != opening) WriteOpening(target, targetId, before, opening, decide);
            return new(before != opening);
        }
    }

    /// <inheritdoc/>
    public ValueTask<HeartUserPage> ListUsersAsync(Guid target, long before, int limit, CancellationToken cancellationToken) =>
        new(_targets.TryGetValue(target, out var found) ? found.ListUsers(before, limit) : new HeartUserPage([], 1));

    /// <inheritdoc/>
    public ValueTask<TopTarget[]> ListTopAsync(int limit, CancellationToken cancellationToken) =>
        new(_targets
            .Select(pair => (Target: pair.Key, Row: pair.Value.Describe()))
            .Where(target => target.Row.Count > 0)
            .OrderByDescending(target => target.Row.Count).ThenBy(target => target.Target)
            .Take(limit)
            .Select(target => target.Row)
            .ToArray());

    /// <inheritdoc/>
    public ValueTask<int> FoldAsync(int limit, CancellationToken cancellationToken) => new(0);

    /// <inheritdoc/>
    public ValueTask CheckAsync(CancellationToken cancellationToken) => default;

    private static int EndOfTarget(ReadOnlySpan<HeartEvent> events, int start)
    {
        var end = start + 1;
        while (end < events.Length && events[end].Target == events[start].Target)
            end++;
        return end;
    }
}
