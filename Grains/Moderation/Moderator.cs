using System.Text.Json.Nodes;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Resilience;

namespace HeartGrains.Moderation;

/// <summary>What grains need to follow operators' orders: the store, the list of blocked users, and how a decision is written.</summary>
internal sealed class Moderator(IModerationStore store, BlockList blocks, HeartKeys keys, Breakers breakers, TimeProvider time)
{
    /// <summary>Where orders are kept.</summary>
    public IModerationStore Store => store;

    /// <summary>Who may not give hearts.</summary>
    public BlockList Blocks => blocks;

    /// <summary>Now.</summary>
    public long NowMicros() => time.NowMicros();

    /// <summary>A decision with a number of its own.</summary>
    public Decision Decide(string action, string? reason, HeartOrigin origin, Guid? about = null, string userId = "", params ReadOnlySpan<(string Name, JsonNode? Value)> more)
    {
        var user = userId.Length == 0 ? default : keys.OfUser(userId);
        var at = NowMicros();
        return new Decision(Random.Shared.NextInt64(), at, about, userId, user, origin, keys.OfNetwork(user, at, origin), ModerationDetail.Of(action, reason, more));
    }

    /// <summary>The decision that a note is.</summary>
    public Decision Decide(DeskNote note, HeartOrigin origin)
    {
        var about = note.TargetId is { } targetId ? keys.OfTarget(targetId) : (Guid?)null;
        return Decide(note.Action, note.Reason, origin, about, note.UserId ?? "", ("target_id", note.TargetId), ("subject", note.Subject)) with { Id = note.Id };
    }

    /// <summary>How it is decided that an opening balance is another.</summary>
    public OpeningDecision DecideOpening(string reason, HeartOrigin origin) => (target, targetId, before, opening) =>
        Decide(OpeningSet.Name, reason, origin, target, "", ("target_id", targetId), ("opening", opening), ("opening_before", before));

    /// <summary>Whether a call that gives or withdraws is its user's own, and not a job's.</summary>
    public static bool IsUsers(HeartOrigin? origin) => origin is null || origin.Cause == HeartCause.User;

    /// <summary>Where a target's hearts are: at itself, or where it was moved, by way of old names.</summary>
    public async ValueTask<string> FindPlaceAsync(string targetId, CancellationToken cancellationToken) =>
        await store.FollowAsync(keys, keys.OfTarget(targetId), cancellationToken) is [.., var place] ? place : targetId;

    /// <summary>How this silo's breakers stand.</summary>
    public BreakerReport[] Breakers() => [.. breakers.All.Select(static breaker => breaker.ToReport())];
}
