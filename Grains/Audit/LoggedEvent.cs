using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Audit;

/// <summary>An event as the log keeps it, with all that is known of it.</summary>
/// <param name="Position">Where it stands.</param>
/// <param name="TargetId">The target's name; empty for a decision about no target.</param>
/// <param name="Heart">The heart; of a decision, who it is about: the hash of the desk and the user, zero when nobody.</param>
/// <param name="UserId">The user, or the tombstone in the user's place; empty for a decision about nobody.</param>
/// <param name="Kind">Given, withdrawn, or decided.</param>
/// <param name="AtMicros">When, in microseconds since 1970-01-01 UTC.</param>
/// <param name="Writer">Who wrote it.</param>
/// <param name="Origin">Who asked for it, from where and why.</param>
/// <param name="NetworkMac">A keyed hash of the network, which stays when the network is forgotten; 0 when there was none.</param>
/// <param name="About">The target that a decision is about; null for hearts.</param>
/// <param name="Detail">A decision's JSON: <c>action</c>, <c>reason</c> and what it needs besides. Never a user's id. Null for hearts.</param>
public sealed record LoggedEvent(
    EventPosition Position,
    string TargetId,
    HeartId Heart,
    string UserId,
    HeartEventKind Kind,
    long AtMicros,
    long Writer,
    HeartOrigin Origin,
    long NetworkMac,
    Guid? About,
    string? Detail);

/// <summary>Which events are asked for; null for all.</summary>
/// <param name="Target">Of this target, and decisions about it.</param>
/// <param name="UserId">Of this user, and decisions about them.</param>
public readonly record struct EventFilter(Guid? Target = null, string? UserId = null);

/// <summary>What an operator decided: an event of the desk's own stream, which has the target of zero bits.</summary>
/// <param name="Id">A random number that names it, so that it can be written again after a lost answer.</param>
/// <param name="AtMicros">When, in microseconds since 1970-01-01 UTC.</param>
/// <param name="About">The target it is about, or null.</param>
/// <param name="UserId">The user it is about, or empty.</param>
/// <param name="User">The hash of the desk and the user; zero for nobody.</param>
/// <param name="Origin">Who decided.</param>
/// <param name="NetworkMac">See <see cref="LoggedEvent"/>.</param>
/// <param name="Detail">See <see cref="LoggedEvent"/>.</param>
public sealed record Decision(
    long Id, long AtMicros, Guid? About, string UserId, HeartId User, HeartOrigin Origin, long NetworkMac, string Detail)
{
    /// <summary>The target whose stream holds decisions.</summary>
    public static Guid Desk => Guid.Empty;
}

/// <summary>Makes the decision that a target's opening balance is another; asked within the transaction that changes it, because only there it is known what it was.</summary>
/// <param name="target">The target's key.</param>
/// <param name="targetId">Its name.</param>
/// <param name="before">What it was.</param>
/// <param name="opening">What it is.</param>
public delegate Decision OpeningDecision(Guid target, string targetId, long before, long opening);
