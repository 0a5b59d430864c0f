using HeartGrains.Ledger;
using Orleans.Concurrency;

namespace HeartGrains.Hearts;

/// <summary>Reads the projections for whoever asks, on the silo that was asked.</summary>
[StatelessWorker(maxLocalWorkers: 1), Reentrant] // Stateless, so there is no invariant for an await to break.
internal sealed class HeartListGrain(IHeartLedger ledger, HeartKeys keys) : Grain, IHeartListGrain
{
    /// <inheritdoc/>
    public async ValueTask<HeartUsers> UsersAsync(string targetId, long before, int limit, CancellationToken cancellationToken = default)
    {
        try
        {
            var page = await ledger.ListUsersAsync(keys.OfTarget(targetId), before, limit, cancellationToken);
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
