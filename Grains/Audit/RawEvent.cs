using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Audit;

/// <summary>A row of the log as it is stored: what is usual of an origin is null, and the target's name stands in version 1 alone.</summary>
/// <param name="Position">Where it stands.</param>
/// <param name="TargetId">The target's name, in its first event.</param>
/// <param name="Heart">The heart, or who a decision is about.</param>
/// <param name="UserId">The user, or the tombstone in the user's place.</param>
/// <param name="Kind">Given, withdrawn, or decided.</param>
/// <param name="AtMicros">When.</param>
/// <param name="Writer">Who wrote it.</param>
/// <param name="Actor">Who asked for it; null for claimed.</param>
/// <param name="Cause">Why; 0 for the user.</param>
/// <param name="Network">From where; null for nowhere.</param>
/// <param name="NetworkMac">The keyed hash of that; 0 for none.</param>
/// <param name="Job">The operation it was a part of.</param>
/// <param name="About">The target that a decision is about.</param>
/// <param name="Detail">A decision's JSON.</param>
public readonly record struct RawEvent(
    EventPosition Position,
    string? TargetId,
    HeartId Heart,
    string UserId,
    HeartEventKind Kind,
    long AtMicros,
    long Writer,
    string? Actor = null,
    short Cause = 0,
    string? Network = null,
    long NetworkMac = 0,
    string? Job = null,
    Guid? About = null,
    string? Detail = null)
{
    /// <summary>The row that an event is stored as.</summary>
    public static RawEvent Of(LoggedEvent logged)
    {
        var origin = OriginColumns.Of(logged.Origin);
        return new(
            logged.Position, logged.Position.Version == 1 ? logged.TargetId : null, logged.Heart, logged.UserId, logged.Kind, logged.AtMicros, logged.Writer,
            origin.Actor, origin.Cause ?? 0, origin.Network, logged.NetworkMac, origin.Job, logged.About, logged.Detail);
    }
}

/// <summary>Looks at a row, which is not kept.</summary>
public delegate void RawEventReader(in RawEvent row);
