using HeartGrains.Audit;
using HeartGrains.Webhooks;

namespace HeartGrains.Ledger.Memory;

/// <summary>What webhooks have yet to tell.</summary>
public sealed partial class MemoryLedger : IWebhookStore
{
    private readonly Dictionary<string, EventPosition> _places = [];
    private readonly Dictionary<(string Endpoint, Guid Target), Waiting> _waiting = [];

    /// <inheritdoc/>
    public ValueTask<EventPosition?> FindPlaceAsync(string endpoint, CancellationToken cancellationToken)
    {
        lock (_places) return new(_places.TryGetValue(endpoint, out var place) ? place : null);
    }

    /// <inheritdoc/>
    public ValueTask AdvanceAsync(string endpoint, EventPosition place, IReadOnlyList<ChangedTarget> changed, CancellationToken cancellationToken)
    {
        lock (_places)
        {
            _places[endpoint] = place;
            foreach (var target in changed)
            {
                var key = (endpoint, target.Target);
                var fresh = new Waiting(new WaitingTarget(target.Target, target.TargetId, 1, 0, 0), target.DueMicros, "");
                if (!_waiting.TryGetValue(key, out var known)) _waiting[key] = fresh;
                else if (known.DueMicros is null) _waiting[key] = fresh with { Target = fresh.Target with { Change = known.Target.Change + 1 } };
                else _waiting[key] = known with { Target = known.Target with { Change = known.Target.Change + 1 } };
            }
        }

        return default;
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<WaitingTarget>> ListDueAsync(string endpoint, long nowMicros, int limit, CancellationToken cancellationToken)
    {
        lock (_places)
        {
            return new((WaitingTarget[])[.. Of(endpoint)
                .Where(waiting => waiting.DueMicros <= nowMicros).OrderBy(waiting => waiting.DueMicros).Take(limit).Select(waiting => waiting.Target)]);
        }
    }

    /// <inheritdoc/>
    public ValueTask DeliveredAsync(string endpoint, WaitingTarget waiting, long nextMicros, CancellationToken cancellationToken)
    {
        lock (_places)
        {
            var key = (endpoint, waiting.Target);
            if (!_waiting.TryGetValue(key, out var known)) return default;
            if (known.Target.Change == waiting.Change) _waiting.Remove(key);
            else _waiting[key] = new Waiting(known.Target with { Attempts = 0, SinceMicros = 0 }, nextMicros, "");
        }

        return default;
    }

    /// <inheritdoc/>
    public ValueTask FailedAsync(string endpoint, WaitingTarget waiting, long sinceMicros, long? nextMicros, string error, CancellationToken cancellationToken)
    {
        lock (_places)
        {
            var key = (endpoint, waiting.Target);
            if (_waiting.TryGetValue(key, out var known))
                _waiting[key] = new Waiting(known.Target with { Attempts = waiting.Attempts + 1, SinceMicros = sinceMicros }, nextMicros, error);
        }

        return default;
    }

    /// <inheritdoc/>
    public ValueTask<(long Pending, long Failing, long Dead)> CountAsync(string endpoint, CancellationToken cancellationToken)
    {
        lock (_places)
        {
            var all = Of(endpoint).ToArray();
            return new((
                all.Count(waiting => waiting.DueMicros is not null),
                all.Count(waiting => waiting is { DueMicros: not null, Target.Attempts: > 0 }),
                all.Count(waiting => waiting.DueMicros is null)));
        }
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DeadLetter>> ListDeadAsync(string endpoint, string after, int limit, CancellationToken cancellationToken)
    {
        lock (_places)
        {
            return new((DeadLetter[])[.. Of(endpoint)
                .Where(waiting => waiting.DueMicros is null && string.CompareOrdinal(waiting.Target.TargetId, after) > 0)
                .OrderBy(waiting => waiting.Target.TargetId, StringComparer.Ordinal)
                .Take(limit)
                .Select(waiting => new DeadLetter(waiting.Target.TargetId, waiting.Target.Attempts, waiting.Target.SinceMicros, waiting.Error))]);
        }
    }

    /// <inheritdoc/>
    public ValueTask<int> ResendAsync(string endpoint, string? targetId, long dueMicros, CancellationToken cancellationToken)
    {
        lock (_places)
        {
            Waiting[] dead = [.. Of(endpoint).Where(waiting => waiting.DueMicros is null && (targetId is null || targetId == waiting.Target.TargetId))];
            foreach (var waiting in dead)
                _waiting[(endpoint, waiting.Target.Target)] = waiting with { DueMicros = dueMicros, Target = waiting.Target with { Attempts = 0, SinceMicros = 0 } };
            return new(dead.Length);
        }
    }

    private IEnumerable<Waiting> Of(string endpoint) => _waiting.Where(pair => pair.Key.Endpoint == endpoint).Select(pair => pair.Value);

    private sealed record Waiting(WaitingTarget Target, long? DueMicros, string Error);
}
