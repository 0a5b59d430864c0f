namespace HeartGrains.Hearts;

/// <summary>Why a heart changed. The numbers are stored.</summary>
public enum HeartCause : short
{
    /// <summary>Its user, or who may speak for the user, asked for it.</summary>
    User = 0,

    /// <summary>The user is another now: an anonymous reader signed in.</summary>
    Merged = 1,

    /// <summary>The user is forgotten.</summary>
    Erased = 2,

    /// <summary>An operator holds the heart out of the count.</summary>
    Quarantined = 3,

    /// <summary>An operator let it back into the count.</summary>
    Released = 4,

    /// <summary>Its target is another now: renamed, or merged into it.</summary>
    Moved = 5,
}

/// <summary>Who changed a heart, from where and why: what the log keeps beside the heart itself.</summary>
/// <param name="Actor">
/// Who proved to be whom: <c>claimed</c> (nobody proved anything), <c>jwt</c>, <c>reader</c>, <c>key:NAME</c> of a server's key, <c>system</c>. At most 80 characters.
/// </param>
/// <param name="Network">The caller's address cut to /24 or /48, such as <c>203.0.113.0/24</c>; null unless addresses are kept.</param>
/// <param name="Cause">Why.</param>
/// <param name="Job">The operation that this change is a part of, such as a merge; null for a call of its own.</param>
[GenerateSerializer, Immutable, Alias("hearts.HeartOrigin")]
public sealed record HeartOrigin(
    [property: Id(0)] string Actor,
    [property: Id(1)] string? Network = null,
    [property: Id(2)] HeartCause Cause = HeartCause.User,
    [property: Id(3)] string? Job = null)
{
    /// <summary>Nobody proved anything.</summary>
    public static HeartOrigin Claimed { get; } = new("claimed");

    /// <summary>A user's signed token.</summary>
    public static HeartOrigin Jwt { get; } = new("jwt");

    /// <summary>An anonymous reader's token.</summary>
    public static HeartOrigin Reader { get; } = new("reader");
}
