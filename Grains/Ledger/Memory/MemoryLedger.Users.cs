using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using HeartGrains.Users;

namespace HeartGrains.Ledger.Memory;

/// <summary>The log as it concerns one user.</summary>
public sealed partial class MemoryLedger
{
    /// <inheritdoc/>
    public ValueTask<int> RenameAsync(string userId, string tombstone, IReadOnlyList<EventPosition> rows, CancellationToken cancellationToken)
    {
        var renamed = 0;
        lock (_appending)
        {
            foreach (var row in rows)
            {
                if (row.Target != Decision.Desk) renamed += _targets.TryGetValue(row.Target, out var target) && target.Rename(row.Version, userId, tombstone) ? 1 : 0;
                else if (_decisions[(int)row.Version - 1] is var decided && decided.UserId == userId)
                {
                    _decisions[(int)row.Version - 1] = decided with { UserId = tombstone, Origin = decided.Origin with { Network = null } };
                    renamed++;
                }
            }
        }

        return new(renamed);
    }

    /// <inheritdoc/>
    public ValueTask<UserTally> CountAsync(string userId, string job, CancellationToken cancellationToken)
    {
        lock (_appending)
        {
            var tally = default(UserTally);
            foreach (var (target, version) in _order)
            {
                var logged = target?.Describe(0, version) ?? _decisions[version - 1];
                if (logged.UserId != userId) continue;
                var isOfJob = logged.Origin.Job == job;
                tally = new UserTally(
                    tally.Rows + (isOfJob && target is null ? 0 : 1),
                    tally.Given + (isOfJob && logged.Kind == HeartEventKind.Given ? 1 : 0),
                    tally.Withdrawn + (isOfJob && logged.Kind == HeartEventKind.Withdrawn ? 1 : 0));
            }

            return new(tally);
        }
    }

    /// <inheritdoc/>
    public ValueTask<string?> FindUserAsync(HeartId user, CancellationToken cancellationToken)
    {
        lock (_appending) return new(_decisions.FindLast(decided => decided.Heart == user && decided.UserId.Length > 0)?.UserId);
    }
}
