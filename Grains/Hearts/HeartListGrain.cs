using HeartGrains.Ledger;
using HeartGrains.Moderation;
using Orleans.Concurrency;

namespace HeartGrains.Hearts;

/// <summary>Reads the projections for whoever asks, on the silo that was asked.</summary>
[StatelessWorker(maxLocalWorkers: 1), Reentrant] // Stateless, so there is no invariant for an await to break.
internal sealed class HeartListGrain(IHeartLedger ledger, HeartKeys keys, IModerationStore moderation) : Grain, IHeartListGrain
{
    /// <inheritdoc/>
    public async ValueTask<HeartUsers> UsersAsync(string targetId, long before, int limit, CancellationToken cancellationToken = default)
    {
        try
        {
            var target = keys.OfTarget(targetId);
            var page = await ledger.ListUsersAsync(target, before, limit, cancellationToken);

            // An old name whose hearts have gone over: the users of the new one, and of the one after that.
            if (page.Users.Length == 0)
            {
                foreach (var name in await moderation.FollowAsync(keys, target, cancellationToken))
                {
                    page = await ledger.ListUsersAsync(keys.OfTarget(name), before, limit, cancellationToken);
                    if (page.Users.Length > 0) break;
                }
            }

            return new HeartUsers(true, page.Users, page.Floor);
        }
        catch (LedgerException)
        {
            return new HeartUsers(false, [], 1);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<HeartTop> TopAsync(int limit, CancellationToken cancellationToken = default)
    {
        try
        {
            return new HeartTop(true, await ledger.ListTopAsync(limit, cancellationToken));
        }
        catch (LedgerException)
        {
            return new HeartTop(false, []);
        }
    }
}
