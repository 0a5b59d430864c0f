using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;
using Orleans.Concurrency;

namespace HeartGrains.Moderation;

/// <summary>Carries out, on the silo that was asked, what is not one target's matter.</summary>
[StatelessWorker(maxLocalWorkers: 1), Reentrant] // Stateless, so there is no invariant for an await to break.
internal sealed class ModerationGrain(Moderator moderator, HeartKeys keys, IEventLog log) : Grain, IModerationGrain
{
    private const int EventLimit = 10;

    /// <inheritdoc/>
    public async ValueTask<BlockReceipt> BlockAsync(
        string userId, long untilMicros, string reason, HeartOrigin origin, CancellationToken cancellationToken = default)
    {
        try
        {
            var decision = untilMicros == 0
                ? moderator.Decide("unblocked", reason, origin, null, userId)
                : moderator.Decide("blocked", reason, origin, null, userId, ("until_micros", untilMicros));
            var user = keys.OfUser(userId);
            var change = await moderator.Store.BlockAsync(user, untilMicros, decision, CancellationToken.None);
            if (change.Refusal != RuleRefusal.None) return new BlockReceipt(HeartOutcome.Committed, false, change.Refusal);
            if (change.Revision > 0) moderator.Blocks.Note(new BlockEntry(user, untilMicros, change.Revision));
            return new BlockReceipt(HeartOutcome.Committed, change.IsChanged, RuleRefusal.None, untilMicros);
        }
        catch (LedgerException)
        {
            return new BlockReceipt(HeartOutcome.Unknown, false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<BlockedUsers> BlocksAsync(long after, int limit, CancellationToken cancellationToken = default)
    {
        try
        {
            return new BlockedUsers(true, [.. await moderator.Store.ListBlocksAsync(after, moderator.NowMicros(), limit, cancellationToken)]);
        }
        catch (LedgerException)
        {
            return new BlockedUsers(false, []);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<HeartOutcome> NoteAsync(DeskNote note, HeartOrigin origin, CancellationToken cancellationToken = default)
    {
        try
        {
            await log.DecideAsync(moderator.Decide(note, origin), CancellationToken.None);
            return HeartOutcome.Committed;
        }
        catch (LedgerException)
        {
            return HeartOutcome.Unknown;
        }
    }

    /// <inheritdoc/>
    public async ValueTask<PairReport> PairAsync(string targetId, string userId, CancellationToken cancellationToken = default)
    {
        try
        {
            var target = keys.OfTarget(targetId);
            var events = await moderator.Store.ListLatestAsync(target, userId, EventLimit, cancellationToken);
            return new PairReport(
                true,
                [.. events.Select(Describe)],
                await moderator.Store.FindHoldAsync(target, keys.OfHeart(target, userId), cancellationToken),
                await moderator.Store.FindOldestUnfoldedAsync(cancellationToken));
        }
        catch (LedgerException)
        {
            return new PairReport(false, [], null, null);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<QuarantineReply> QuarantineAsync(string id, CancellationToken cancellationToken = default)
    {
        try
        {
            return new QuarantineReply(HeartOutcome.Committed, await moderator.Store.FindQuarantineAsync(id, cancellationToken));
        }
        catch (LedgerException)
        {
            return new QuarantineReply(HeartOutcome.LedgerUnavailable, null);
        }
    }

    private static PairEvent Describe(LoggedEvent logged) => new(
        EventIds.Of(logged.Position),
        logged.Kind switch { HeartEventKind.Given => "given", HeartEventKind.Withdrawn => "withdrawn", _ => ModerationDetail.ActionOf(logged.Detail!) },
        logged.AtMicros,
        logged.Position.Version,
        logged.Origin.Actor,
        logged.Origin.Cause,
        logged.Origin.Job,
        logged.Detail is { } detail ? ModerationDetail.ReasonOf(detail) : null);
}
