using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Moderation;

/// <summary>
/// What operators told targets and users, each in one transaction with the event of its decision. Safe for concurrent use. Every method throws <see cref="LedgerException"/> when the store
/// cannot answer; it may have been written then, and the same order again is safe.
/// </summary>
public interface IModerationStore
{
    /// <summary>Freezes a target or lets it go.</summary>
    ValueTask<RuleChange> FreezeAsync(Guid target, string targetId, bool isFrozen, string reason, Decision decision, CancellationToken cancellationToken);

    /// <summary>Makes a target another name of <paramref name="to"/>, or of where that was moved.</summary>
    ValueTask<RuleChange> RedirectAsync(
        Guid target, string targetId, Guid to, string toId, string reason, Decision decision, CancellationToken cancellationToken);

    /// <summary>What a target is told; null when nothing.</summary>
    ValueTask<TargetRule?> FindRuleAsync(Guid target, CancellationToken cancellationToken);

    /// <summary>Adds the opening balance of <paramref name="from"/> to that of <paramref name="to"/> and takes it away there, with an event of each. Returns what <paramref name="to"/> has then.</summary>
    ValueTask<long> MoveOpeningAsync(Guid from, string fromId, Guid to, string toId, OpeningDecision decide, CancellationToken cancellationToken);

    /// <summary>How many hearts an operation has taken back at a target.</summary>
    ValueTask<long> CountMovedAsync(Guid target, string job, CancellationToken cancellationToken);

    /// <summary>Blocks a user until a time, or, with 0, no longer.</summary>
    ValueTask<BlockChange> BlockAsync(HeartId user, long untilMicros, Decision decision, CancellationToken cancellationToken);

    /// <summary>Changes of the list behind a revision, in order; among them blocks that were ended, with 0.</summary>
    ValueTask<IReadOnlyList<BlockEntry>> ReadBlocksAsync(long after, int limit, CancellationToken cancellationToken);

    /// <summary>Users blocked beyond <paramref name="nowMicros"/>, in the order of their revisions.</summary>
    ValueTask<IReadOnlyList<BlockedUser>> ListBlocksAsync(long after, long nowMicros, int limit, CancellationToken cancellationToken);

    /// <summary>The block of a user that lasts beyond <paramref name="nowMicros"/>; null when there is none.</summary>
    ValueTask<BlockedUser?> FindBlockAsync(HeartId user, long nowMicros, CancellationToken cancellationToken);

    /// <summary>The last events of a user about a target, newest first.</summary>
    ValueTask<IReadOnlyList<LoggedEvent>> ListLatestAsync(Guid target, string userId, int limit, CancellationToken cancellationToken);

    /// <summary>When the oldest event was written that is not folded yet; null when all are.</summary>
    ValueTask<long?> FindOldestUnfoldedAsync(CancellationToken cancellationToken);

    /// <summary>Writes a quarantine down; one that is there stays as it is.</summary>
    ValueTask OpenQuarantineAsync(Quarantine quarantine, Decision decision, CancellationToken cancellationToken);

    /// <summary>The quarantine, with its figures; null when there is none.</summary>
    ValueTask<Quarantine?> FindQuarantineAsync(string id, CancellationToken cancellationToken);

    /// <summary>Moves a quarantine from one state to the next, with a decision if that is one. False when it was in another.</summary>
    ValueTask<bool> AdvanceQuarantineAsync(string id, QuarantineState from, QuarantineState to, Decision? decision, CancellationToken cancellationToken);

    /// <summary>Remembers hearts before they are withdrawn.</summary>
    ValueTask HoldAsync(string id, IReadOnlyList<HeldHeart> hearts, CancellationToken cancellationToken);

    /// <summary>Held hearts, with what became of them since; at most <paramref name="limit"/>.</summary>
    ValueTask<IReadOnlyList<HeldState>> ReadHeldAsync(string id, int limit, CancellationToken cancellationToken);

    /// <summary>The same of the hearts named.</summary>
    ValueTask<IReadOnlyList<HeldState>> ReadHeldAsync(string id, IReadOnlyList<HeldHeart> hearts, CancellationToken cancellationToken);

    /// <summary>Forgets held hearts, of which so many were given back and so many were not.</summary>
    ValueTask ForgetHeldAsync(string id, IReadOnlyList<HeldHeart> hearts, int released, int skipped, CancellationToken cancellationToken);

    /// <summary>The quarantine that holds a heart, or null.</summary>
    ValueTask<string?> FindHoldAsync(Guid target, HeartId heart, CancellationToken cancellationToken);

    /// <summary>The quarantines that hold hearts of a user, and how many; at most <paramref name="limit"/>.</summary>
    ValueTask<IReadOnlyList<UserHolds>> ListHoldsAsync(string userId, int limit, CancellationToken cancellationToken);
}

/// <summary>What a target is told.</summary>
/// <param name="IsFrozen">Its hearts are not to change.</param>
/// <param name="MovedTo">It is another name of this target; null when it is itself.</param>
/// <param name="Reason">Why, as of the last order.</param>
/// <param name="AtMicros">Since when.</param>
public sealed record TargetRule(bool IsFrozen, string? MovedTo, string Reason, long AtMicros);

/// <summary>What an order about a target changed.</summary>
/// <param name="IsChanged">It was otherwise before.</param>
/// <param name="Rule">What the target is told now; null when nothing.</param>
/// <param name="Refusal">Why nothing was done.</param>
public readonly record struct RuleChange(bool IsChanged, TargetRule? Rule, RuleRefusal Refusal = RuleRefusal.None);

/// <summary>What an order about a user changed.</summary>
public readonly record struct BlockChange(bool IsChanged, long Revision, RuleRefusal Refusal = RuleRefusal.None);

/// <summary>A change of the list of blocked users.</summary>
/// <param name="User">The user at the desk.</param>
/// <param name="UntilMicros">Until when; 0 when no longer.</param>
/// <param name="Revision">Grows with every change, in the order of commits.</param>
public readonly record struct BlockEntry(HeartId User, long UntilMicros, long Revision);

/// <summary>A heart in quarantine, by the event that gave it.</summary>
public readonly record struct HeldHeart(Guid Target, long Version, HeartId Heart);

/// <summary>A heart in quarantine and what became of it.</summary>
/// <param name="Held">The heart.</param>
/// <param name="TargetId">Its target.</param>
/// <param name="UserId">Its user, or the tombstone of one who is forgotten.</param>
/// <param name="LastKind">The last event of the user for the target.</param>
/// <param name="LastJob">The operation that event is a part of.</param>
public readonly record struct HeldState(HeldHeart Held, string TargetId, string UserId, HeartEventKind LastKind, string? LastJob);

/// <summary>Hearts of one user that a quarantine holds.</summary>
public readonly record struct UserHolds(string Quarantine, long Hearts);

/// <summary>Bounds of moderation.</summary>
internal static class ModerationLimits
{
    /// <summary>Users blocked at once.</summary>
    public const int Blocks = 100_000;

    /// <summary>Moves one after the other that an old name may lead through.</summary>
    public const int Chain = 8;

    /// <summary>How long an ended block is kept, for silos that have not heard of it.</summary>
    public const long EndedBlockMicros = 24L * 3600 * 1_000_000;
}
