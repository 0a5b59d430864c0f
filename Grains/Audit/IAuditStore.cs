using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Audit;

/// <summary>What is asked of a ledger to compare it with its log. Safe for concurrent use. Every method throws <see cref="LedgerException"/> when the store cannot answer.</summary>
public interface IAuditStore
{
    /// <summary>Shows all that is stored of a target, in one snapshot.</summary>
    ValueTask ScanTargetAsync(Guid target, ITargetReader reader, CancellationToken cancellationToken);

    /// <summary>Targets behind one, in the order of their keys, by log, projections, rules and decisions together.</summary>
    ValueTask<IReadOnlyList<Guid>> ListTargetsAsync(Guid after, int limit, CancellationToken cancellationToken);

    /// <summary>The names of targets that have a log.</summary>
    ValueTask<IReadOnlyDictionary<Guid, string>> FindNamesAsync(IReadOnlyCollection<Guid> targets, CancellationToken cancellationToken);

    /// <summary>The details of the decisions that an operation made.</summary>
    ValueTask<IReadOnlyList<string>> FindDecisionsAsync(string job, CancellationToken cancellationToken);

    /// <summary>Makes a target's projections anew from its log, in one transaction, up to where the fold is.</summary>
    ValueTask RebuildAsync(Guid target, CancellationToken cancellationToken);

    /// <summary>Count and version after the last event of a target whose time was not later.</summary>
    ValueTask<TargetAt> FindAsOfAsync(Guid target, long atMicros, CancellationToken cancellationToken);

    /// <summary>A target's opening balance as it is stored, and as decisions say it was at a time.</summary>
    ValueTask<OpeningAt> FindOpeningAsync(Guid target, long atMicros, CancellationToken cancellationToken);

    /// <summary>What a target is told as it is stored, and what was decided about it, oldest first, in one snapshot.</summary>
    ValueTask<RuleOrders> FindRuleOrdersAsync(Guid target, CancellationToken cancellationToken);

    /// <summary>Until when a user is blocked as it is stored, 0 when not, and what was decided about that last, in one snapshot.</summary>
    ValueTask<BlockOrders> FindBlockOrdersAsync(HeartId user, CancellationToken cancellationToken);

    /// <summary>How many users are blocked beyond <paramref name="nowMicros"/> whose row names no decision that blocks them.</summary>
    ValueTask<long> CountStrayBlocksAsync(long nowMicros, CancellationToken cancellationToken);

    /// <summary>
    /// Takes the turn to compare a part of everything in the background, which lasts until <paramref name="untilMicros"/> or until <see cref="EndTurnAsync"/>, and returns where the last one ended; null while another has it.
    /// </summary>
    ValueTask<WatchPlace?> TryTakeTurnAsync(long nowMicros, long untilMicros, CancellationToken cancellationToken);

    /// <summary>Notes where a turn ended; the next may begin at <paramref name="nextMicros"/>.</summary>
    ValueTask EndTurnAsync(WatchPlace place, long nextMicros, CancellationToken cancellationToken);
}

/// <summary>An opening balance.</summary>
/// <param name="Stored">What is stored now.</param>
/// <param name="Decided">What it was by the last decision until then, or before the first one after; null when nobody decided anything.</param>
public readonly record struct OpeningAt(long Stored, long? Decided);

/// <summary>What operators told a target.</summary>
/// <param name="Stored">The row; null when there is none.</param>
/// <param name="Decided">Decisions to freeze it, to let it go, and to move it.</param>
public readonly record struct RuleOrders(StoredRule? Stored, IReadOnlyList<RuleDecision> Decided);

/// <summary>A target's rule as it is stored.</summary>
/// <param name="TargetId">The target's name; null where it is not kept.</param>
/// <param name="IsFrozen">Its hearts are not to change.</param>
/// <param name="MovedTo">It is another name of this target; null when it is itself.</param>
/// <param name="MovedKey">The key of that.</param>
/// <param name="Reason">Why, as of the last order.</param>
/// <param name="AtMicros">Since when.</param>
public sealed record StoredRule(string? TargetId, bool IsFrozen, string? MovedTo, Guid? MovedKey, string Reason, long AtMicros);

/// <summary>What operators told a user.</summary>
/// <param name="UntilMicros">Until when the user is blocked; 0 when not.</param>
/// <param name="Decided">The last decision to block them or to end that; null when there is none.</param>
public readonly record struct BlockOrders(long UntilMicros, RuleDecision? Decided);

/// <summary>A decision about a target's rule, or a user's block.</summary>
/// <param name="Version">Its number at the desk.</param>
/// <param name="AtMicros">When.</param>
/// <param name="Detail">Its JSON.</param>
public sealed record RuleDecision(long Version, long AtMicros, string Detail);

/// <summary>Where the comparison in the background stands.</summary>
/// <param name="Block">The last block compared; 0 to begin anew.</param>
/// <param name="Target">The last target compared; zero to begin anew.</param>
public readonly record struct WatchPlace(long Block, Guid Target);

/// <summary>Is shown what is stored of a target, in this order.</summary>
public interface ITargetReader
{
    /// <summary>First the projection.</summary>
    void Read(in StoredTarget stored);

    /// <summary>Then the log, oldest first.</summary>
    void Read(in RawEvent row);

    /// <summary>Between its events up to the projection's version and those behind it, the current hearts of the projection.</summary>
    void Read(in CurrentHeart heart);
}

/// <summary>A target's row among the projections.</summary>
/// <param name="TargetId">The name; null when there is no row.</param>
/// <param name="Count">Hearts given.</param>
/// <param name="Version">The last version it holds; 0 when there is no row.</param>
/// <param name="FoldedOrder">How far the fold has come over all targets.</param>
public readonly record struct StoredTarget(string? TargetId, long Count, long Version, long FoldedOrder);
