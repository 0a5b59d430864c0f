using HeartGrains.Hearts;
using HeartGrains.Resilience;

namespace HeartGrains.Moderation;

/// <summary>Why an order was not carried out, besides failures.</summary>
public enum RuleRefusal : byte
{
    /// <summary>It was.</summary>
    None = 0,

    /// <summary>The target was moved to another place already.</summary>
    MovedElsewhere = 1,

    /// <summary>The target would be moved onto itself, by way of others.</summary>
    Cycle = 2,

    /// <summary>Too many moves one after the other lead here.</summary>
    ChainTooLong = 3,

    /// <summary>As many users are blocked as can be.</summary>
    TooManyBlocks = 4,
}

/// <summary>The answer to an order about a target.</summary>
/// <param name="Outcome"><see cref="HeartOutcome.Committed"/>, or why nothing is known to be done.</param>
/// <param name="Changed">It was otherwise before.</param>
/// <param name="Refusal">Why it was not carried out.</param>
/// <param name="IsFrozen">The target is frozen now.</param>
/// <param name="MovedTo">Where the target was moved, or null.</param>
[GenerateSerializer, Immutable, Alias("moderation.RuleReceipt")]
public readonly record struct RuleReceipt(
    [property: Id(0)] HeartOutcome Outcome,
    [property: Id(1)] bool Changed,
    [property: Id(2)] RuleRefusal Refusal = RuleRefusal.None,
    [property: Id(3)] bool IsFrozen = false,
    [property: Id(4)] string? MovedTo = null);

/// <summary>The answer to blocking a user, or ending that.</summary>
/// <param name="Outcome">As above.</param>
/// <param name="Changed">It was otherwise before.</param>
/// <param name="Refusal">Why it was not carried out.</param>
/// <param name="UntilMicros">Until when the user is blocked, in microseconds since 1970-01-01 UTC; 0 when not.</param>
[GenerateSerializer, Immutable, Alias("moderation.BlockReceipt")]
public readonly record struct BlockReceipt(
    [property: Id(0)] HeartOutcome Outcome,
    [property: Id(1)] bool Changed,
    [property: Id(2)] RuleRefusal Refusal = RuleRefusal.None,
    [property: Id(3)] long UntilMicros = 0);

/// <summary>A user who is blocked.</summary>
/// <param name="UserId">The user, or the tombstone in place of one who is forgotten.</param>
/// <param name="UntilMicros">Until when.</param>
/// <param name="SinceMicros">When that was decided.</param>
/// <param name="Reason">Why.</param>
/// <param name="Actor">By whom.</param>
/// <param name="Revision">Its place in the list.</param>
[GenerateSerializer, Immutable, Alias("moderation.BlockedUser")]
public sealed record BlockedUser(
    [property: Id(0)] string UserId,
    [property: Id(1)] long UntilMicros,
    [property: Id(2)] long SinceMicros,
    [property: Id(3)] string Reason,
    [property: Id(4)] string Actor,
    [property: Id(5)] long Revision);

/// <summary>A page of blocked users; <paramref name="IsAvailable"/> is false when the ledger could not be read.</summary>
[GenerateSerializer, Immutable, Alias("moderation.BlockedUsers")]
public sealed record BlockedUsers([property: Id(0)] bool IsAvailable, [property: Id(1)] BlockedUser[] Users);

/// <summary>How an activation sees its target and a user.</summary>
/// <param name="Outcome"><see cref="HeartOutcome.Committed"/>, or why the target could not be read; the rest is told all the same.</param>
/// <param name="Count">Hearts of the target itself, not of where it was moved.</param>
/// <param name="Version">Its version.</param>
/// <param name="Opening">Its opening balance.</param>
/// <param name="Hearted">Whether the user loves it; null when not asked or not known.</param>
/// <param name="IsFrozen">It is frozen.</param>
/// <param name="MovedTo">Where it was moved, or null.</param>
/// <param name="RuleReason">Why it is frozen or was moved; null when neither.</param>
/// <param name="RuleSinceMicros">Since when; 0 when neither.</param>
/// <param name="BlockedUntilMicros">Until when this silo holds the user blocked; 0 when not.</param>
/// <param name="Silo">The name of the silo that holds the activation.</param>
/// <param name="Address">Its address.</param>
/// <param name="Activation">The activation.</param>
/// <param name="Breakers">How the silo's breakers stand.</param>
[GenerateSerializer, Immutable, Alias("moderation.TargetReport")]
public sealed record TargetReport(
    [property: Id(0)] HeartOutcome Outcome,
    [property: Id(1)] long Count,
    [property: Id(2)] long Version,
    [property: Id(3)] long Opening,
    [property: Id(4)] bool? Hearted,
    [property: Id(5)] bool IsFrozen,
    [property: Id(6)] string? MovedTo,
    [property: Id(7)] string? RuleReason,
    [property: Id(8)] long RuleSinceMicros,
    [property: Id(9)] long BlockedUntilMicros,
    [property: Id(10)] string Silo,
    [property: Id(11)] string Address,
    [property: Id(12)] string Activation,
    [property: Id(13)] BreakerReport[] Breakers);

/// <summary>What the ledger tells of a user's heart for a target.</summary>
/// <param name="IsAvailable">False when the ledger could not be read.</param>
/// <param name="Events">The last events of the pair, hearts and decisions, newest first.</param>
/// <param name="QuarantineId">The quarantine that holds the heart, or null.</param>
/// <param name="OldestUnfoldedMicros">When the oldest event was written that lists do not show yet; null when they show all.</param>
[GenerateSerializer, Immutable, Alias("moderation.PairReport")]
public sealed record PairReport(
    [property: Id(0)] bool IsAvailable,
    [property: Id(1)] PairEvent[] Events,
    [property: Id(2)] string? QuarantineId,
    [property: Id(3)] long? OldestUnfoldedMicros);

/// <summary>An event of the log about a user and a target.</summary>
/// <param name="Id">Its stable id.</param>
/// <param name="Kind"><c>given</c>, <c>withdrawn</c>, or what was decided.</param>
/// <param name="AtMicros">When.</param>
/// <param name="Version">The target's version with it; a decision's number at the desk.</param>
/// <param name="Actor">Who asked for it.</param>
/// <param name="Cause">Why.</param>
/// <param name="Job">The operation it is a part of, or null.</param>
/// <param name="Reason">A decision's reason, or null.</param>
[GenerateSerializer, Immutable, Alias("moderation.PairEvent")]
public sealed record PairEvent(
    [property: Id(0)] string Id,
    [property: Id(1)] string Kind,
    [property: Id(2)] long AtMicros,
    [property: Id(3)] long Version,
    [property: Id(4)] string Actor,
    [property: Id(5)] HeartCause Cause,
    [property: Id(6)] string? Job,
    [property: Id(7)] string? Reason);

/// <summary>How a quarantine stands. The numbers are stored.</summary>
public enum QuarantineState : short
{
    /// <summary>Hearts are still being taken out of the counts.</summary>
    Holding = 0,

    /// <summary>All that match are held.</summary>
    Held = 1,

    /// <summary>They are being given back.</summary>
    Releasing = 2,

    /// <summary>They were given back.</summary>
    Released = 3,

    /// <summary>It is final, and what was held is being forgotten.</summary>
    RollingBack = 4,

    /// <summary>It is final.</summary>
    RolledBack = 5,
}

/// <summary>A quarantine.</summary>
/// <param name="Id">Its id.</param>
/// <param name="State">How it stands.</param>
/// <param name="TargetId">Of this target's hearts, or null for all targets'.</param>
/// <param name="FromMicros">Of those given from this time on, or null.</param>
/// <param name="UntilMicros">Of those given before this time.</param>
/// <param name="Users">Of so many users; 0 for all.</param>
/// <param name="Reason">Why.</param>
/// <param name="Actor">By whom.</param>
/// <param name="AtMicros">When it was ordered.</param>
/// <param name="Held">Hearts that are held now.</param>
/// <param name="Released">Hearts that were given back.</param>
/// <param name="Skipped">Hearts that were not: their users had decided anew meanwhile, or are forgotten.</param>
[GenerateSerializer, Immutable, Alias("moderation.Quarantine")]
public sealed record Quarantine(
    [property: Id(0)] string Id,
    [property: Id(1)] QuarantineState State,
    [property: Id(2)] string? TargetId,
    [property: Id(3)] long? FromMicros,
    [property: Id(4)] long UntilMicros,
    [property: Id(5)] int Users,
    [property: Id(6)] string Reason,
    [property: Id(7)] string Actor,
    [property: Id(8)] long AtMicros,
    [property: Id(9)] long Held = 0,
    [property: Id(10)] long Released = 0,
    [property: Id(11)] long Skipped = 0);

/// <summary>The answer about a quarantine; null when there is none of that id.</summary>
[GenerateSerializer, Immutable, Alias("moderation.QuarantineReply")]
public sealed record QuarantineReply([property: Id(0)] HeartOutcome Outcome, [property: Id(1)] Quarantine? Quarantine);

/// <summary>An operator's order that is carried out elsewhere than in the ledger, for the log.</summary>
/// <param name="Id">A random number that names it.</param>
/// <param name="Action">What was ordered, as the event's type.</param>
/// <param name="Reason">Why, if that was said.</param>
/// <param name="UserId">The user it is about, if any.</param>
/// <param name="TargetId">The target it is about, if any.</param>
/// <param name="Subject">What else it is about: a breaker, or an endpoint of webhooks.</param>
[GenerateSerializer, Immutable, Alias("moderation.DeskNote")]
public sealed record DeskNote(
    [property: Id(0)] long Id,
    [property: Id(1)] string Action,
    [property: Id(2)] string? Reason = null,
    [property: Id(3)] string? UserId = null,
    [property: Id(4)] string? TargetId = null,
    [property: Id(5)] string? Subject = null)
{
    /// <summary>A note with a number of its own.</summary>
    public static DeskNote Of(string action) => new(Random.Shared.NextInt64(), action);
}
