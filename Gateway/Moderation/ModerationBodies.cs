using System.Text.Json.Serialization;
using HeartGrains.Gateway.Explain;

namespace HeartGrains.Gateway.Moderation;

/// <summary>The body of <c>POST /admin/targets/freeze</c> and <c>/unfreeze</c>.</summary>
internal sealed record FreezeBody(string? TargetId = null, string? Reason = null);

/// <summary>The body of <c>POST /admin/targets/move</c>.</summary>
internal sealed record MoveBody(string? From = null, string? To = null, string? Reason = null);

/// <summary>The body of <c>POST /admin/users/block</c>.</summary>
internal sealed record BlockBody(string? UserId = null, string? For = null, string? Until = null, string? Reason = null);

/// <summary>The body of <c>POST /admin/users/unblock</c>.</summary>
internal sealed record UnblockBody(string? UserId = null, string? Reason = null);

/// <summary>The body of <c>POST /admin/quarantine</c>.</summary>
internal sealed record QuarantineBody(string? TargetId = null, string? From = null, string? Until = null, string[]? UserIds = null, string? Reason = null);

/// <summary>The body of <c>POST /admin/quarantine/release</c> and <c>/rollback</c>.</summary>
internal sealed record QuarantineEndBody(string? Id = null, string? Reason = null);

/// <summary>What became of an order about a target.</summary>
internal sealed record FrozenView(string TargetId, bool Frozen, string? MovedTo, bool Changed);

/// <summary>What became of an order about a user.</summary>
internal sealed record BlockedView(string UserId, bool Blocked, string? Until, bool Changed);

/// <summary>A user who is blocked.</summary>
internal sealed record BlockView(string UserId, string? Until, string? Since, string Reason, string Actor);

/// <summary>A page of them.</summary>
internal sealed record BlocksView(BlockView[] Blocks, string? NextCursor);

/// <summary>How a quarantine stands.</summary>
internal sealed record QuarantineView(
    string Id, string State, string? TargetId, string? From, string? Until, int Users, string Reason, string Actor, string? Since, long Held, long Released, long Skipped);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(FreezeBody))]
[JsonSerializable(typeof(MoveBody))]
[JsonSerializable(typeof(BlockBody))]
[JsonSerializable(typeof(UnblockBody))]
[JsonSerializable(typeof(QuarantineBody))]
[JsonSerializable(typeof(QuarantineEndBody))]
[JsonSerializable(typeof(FrozenView))]
[JsonSerializable(typeof(BlockedView))]
[JsonSerializable(typeof(BlocksView))]
[JsonSerializable(typeof(QuarantineView))]
[JsonSerializable(typeof(ExplainView))]
internal sealed partial class ModerationJson : JsonSerializerContext;
