using HeartGrains.Hearts;
using HeartGrains.Moderation;

namespace HeartGrains.Ledger;

/// <summary>What happened to a heart. The numbers are stored.</summary>
public enum HeartEventKind : short
{
    /// <summary>The user gave a heart.</summary>
    Given = 1,

    /// <summary>The user took it back.</summary>
    Withdrawn = 2,

    /// <summary>No heart: an operator decided something.</summary>
    Decided = 3,
}

/// <summary>One row of the log, which is the truth; its key is (<paramref name="Target"/>, <paramref name="Version"/>).</summary>
/// <param name="Target">128 bits of a keyed hash of the target id.</param>
/// <param name="Version">1, 2, 3 … within the target, without gaps.</param>
/// <param name="TargetId">The target id as given; the ledger keeps it in the row of version 1 only.</param>
/// <param name="Heart">The heart's id, derived from target and user.</param>
/// <param name="UserId">The user id as given.</param>
/// <param name="Kind">Given or withdrawn.</param>
/// <param name="AtMicros">When, in microseconds since 1970-01-01 UTC.</param>
/// <param name="Writer">The stream that wrote it: tells an activation's own rows from a rival's when an answer was lost.</param>
/// <param name="Origin">Who asked for it, from where and why; null for a user of whom nothing is proved.</param>
/// <param name="NetworkMac">A keyed hash of the origin's network, which stays when the network is forgotten; 0 when there is none.</param>
public readonly record struct HeartEvent(
    Guid Target,
    long Version,
    string TargetId,
    HeartId Heart,
    string UserId,
    HeartEventKind Kind,
    long AtMicros,
    long Writer,
    HeartOrigin? Origin = null,
    long NetworkMac = 0);

/// <summary>A version of a target that the log holds, and by whom it was written.</summary>
public readonly record struct WrittenVersion(Guid Target, long Version, long Writer);

/// <summary>A heart that is given now: its id, when it was given and at which version.</summary>
public readonly record struct CurrentHeart(HeartId Id, long GivenAtMicros, long Version);

/// <summary>
/// A target as one snapshot of the ledger shows it: the folded projection, and the events of the log behind it.
/// </summary>
/// <param name="FoldedCount">Hearts given, as of <paramref name="FoldedVersion"/>.</param>
/// <param name="FoldedVersion">The last version the projection holds; 0 when it holds none.</param>
/// <param name="Recent">Current hearts of the projection, newest first, at most as many as asked for.</param>
/// <param name="Tail">Events above <paramref name="FoldedVersion"/>, oldest first.</param>
/// <param name="Opening">The opening balance; 0 when none was set.</param>
/// <param name="Rule">What operators told the target; null when nothing.</param>
public sealed record TargetSnapshot(
    long FoldedCount,
    long FoldedVersion,
    IReadOnlyList<CurrentHeart> Recent,
    IReadOnlyList<HeartEvent> Tail,
    long Opening = 0,
    TargetRule? Rule = null);

/// <summary>What became of a batch; it is one transaction, so this holds for each of its events.</summary>
public enum AppendOutcome
{
    /// <summary>All events are committed and durable.</summary>
    Committed,

    /// <summary>Nothing was written: at least one (target, version) of the batch exists already.</summary>
    Conflict,

    /// <summary>Nothing was written, and trying again now would end the same: the data itself is refused.</summary>
    Poison,

    /// <summary>Nothing was written: the database refused for a reason that may pass.</summary>
    Refused,

    /// <summary>The answer was lost: all was written or nothing was.</summary>
    Unknown,
}

/// <summary>
/// A page of the users of a target, newest first. A page looks at <see cref="Window"/> events at most, so that it costs the same however many
/// hearts were taken back, and may hold fewer users than asked for, or none, although older ones follow.
/// </summary>
/// <param name="Users">The users found.</param>
/// <param name="Floor">The lowest version looked at; 1 when nothing is left below.</param>
public sealed record HeartUserPage(HeartUser[] Users, long Floor)
{
    /// <summary>Events a page looks at.</summary>
    public const int Window = 10_000;

    internal static long FloorBelow(long before) => Math.Max(1, before - Window);
}
