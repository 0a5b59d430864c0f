using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Moderation;

namespace HeartGrains.Ledger.Memory;

/// <summary>Quarantines.</summary>
public sealed partial class MemoryLedger
{
    /// <inheritdoc/>
    public ValueTask OpenQuarantineAsync(Quarantine quarantine, Decision decision, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            if (!_quarantines.TryAdd(quarantine.Id, quarantine)) return default;
            _held.Add(quarantine.Id, new SortedSet<HeldHeart>(ByPlace));
            Decide(decision);
            return default;
        }
    }

    /// <inheritdoc/>
    public ValueTask<Quarantine?> FindQuarantineAsync(string id, CancellationToken cancellationToken)
    {
        lock (_appending) return new(_quarantines.TryGetValue(id, out var found) ? found with { Held = _held[id].Count } : null);
    }

    /// <inheritdoc/>
    public ValueTask<bool> AdvanceQuarantineAsync(string id, QuarantineState from, QuarantineState to, Decision? decision, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            if (!_quarantines.TryGetValue(id, out var found) || found.State != from) return new(false);
            _quarantines[id] = found with { State = to };
            if (decision is not null) Decide(decision);
            return new(true);
        }
    }

    /// <inheritdoc/>
    public ValueTask HoldAsync(string id, IReadOnlyList<HeldHeart> hearts, CancellationToken cancellationToken)
    {
        lock (_appending) _held[id].UnionWith(hearts);
        return default;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<HeldState>> ReadHeldAsync(string id, int limit, CancellationToken cancellationToken)
    {
        lock (_appending) return new([.. _held[id].Take(limit).Select(StateOf)]);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<HeldState>> ReadHeldAsync(string id, IReadOnlyList<HeldHeart> hearts, CancellationToken cancellationToken)
    {
        lock (_appending) return new([.. hearts.Where(_held[id].Contains).Select(StateOf)]);
    }

    /// <inheritdoc/>
    public ValueTask ForgetHeldAsync(string id, IReadOnlyList<HeldHeart> hearts, int released, int skipped, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            var before = _held[id].Count;
            _held[id].ExceptWith(hearts);
            if (_held[id].Count == before) return default;
            var found = _quarantines[id];
            _quarantines[id] = found with { Released = found.Released + released, Skipped = found.Skipped + skipped };
            return default;
        }
    }

    /// <inheritdoc/>
    public ValueTask<string?> FindHoldAsync(Guid target, HeartId heart, CancellationToken cancellationToken)
    {
        lock (_appending) return new(_held.FirstOrDefault(of => of.Value.Any(held => held.Target == target && held.Heart == heart)).Key);
    }

    private HeldState StateOf(HeldHeart held)
    {
        var target = _targets[held.Target];
        var given = target.Describe(0, (int)held.Version);
        var last = given;
        for (var version = target.Version; version > held.Version; version--)
        {
            var later = target.Describe(0, (int)version);
            if (later.Heart != held.Heart) continue;
            last = later;
            break;
        }

        return new HeldState(held, target.TargetId, given.UserId, last.Kind, last.Origin.Job);
    }
}
