using System.Text.Json.Serialization;

namespace HeartGrains.Moderation;

/// <summary>Kinds of long operations that operators start.</summary>
public static class ModerationJobs
{
    /// <summary>Moves a target's hearts to another; its subject is the target.</summary>
    public const string Move = "move";

    /// <summary>Holds hearts out of the count.</summary>
    public const string Quarantine = "quarantine";

    /// <summary>Gives them back; its subject is the quarantine.</summary>
    public const string Release = "release";

    /// <summary>Lets them be withdrawn for good; its subject is the quarantine.</summary>
    public const string Rollback = "rollback";
}

/// <summary>The arguments of the operation <c>move</c>.</summary>
public sealed record MoveOrder(string From, string To, string Reason);

/// <summary>The arguments of the operation <c>quarantine</c>.</summary>
public sealed record QuarantineOrder(string? TargetId, long? FromMicros, long? UntilMicros, string[]? UserIds, string Reason);

/// <summary>The arguments of the operations <c>release</c> and <c>rollback</c>.</summary>
public sealed record QuarantineEndOrder(string Id, string Reason);

/// <summary>How a move stands.</summary>
/// <param name="From">The target that is moved.</param>
/// <param name="To">Where to, by way of old names.</param>
/// <param name="Moved">Hearts taken over so far.</param>
/// <param name="Refusal">Why nothing was done.</param>
public sealed record MoveProgress(string From, string? To, long Moved, RuleRefusal Refusal);

/// <summary>How a quarantine, or the end of one, stands.</summary>
public sealed record QuarantineProgress(string Quarantine, long Held, long Released, long Skipped);

/// <summary>Where the next page of a move begins.</summary>
public sealed record MoveMark(string To, long Order, long Version, long Moved, int Round);

/// <summary>Where the next page of a quarantine begins.</summary>
/// <param name="Goal">The log is read at least so far.</param>
/// <param name="User">Which of the users is looked at.</param>
/// <param name="Order">The last event's place, as the three next.</param>
/// <param name="Target">See above.</param>
/// <param name="Version">See above.</param>
/// <param name="Held">Hearts held so far.</param>
public sealed record QuarantineMark(long Goal, int User, long Order, Guid Target, long Version, long Held);

/// <summary>These as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true)]
[JsonSerializable(typeof(MoveOrder))]
[JsonSerializable(typeof(QuarantineOrder))]
[JsonSerializable(typeof(QuarantineEndOrder))]
[JsonSerializable(typeof(MoveProgress))]
[JsonSerializable(typeof(QuarantineProgress))]
[JsonSerializable(typeof(MoveMark))]
[JsonSerializable(typeof(QuarantineMark))]
public sealed partial class ModerationWorkJson : JsonSerializerContext;
