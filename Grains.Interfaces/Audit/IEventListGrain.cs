using HeartGrains.Hearts;

namespace HeartGrains.Audit;

/// <summary>The log, as operators and other services read it. A stateless worker: any silo answers. Its key is 0.</summary>
[Alias("audit.IEventListGrain")]
public interface IEventListGrain : IGrainWithIntegerKey
{
    /// <summary>Sealed events behind a place, in order. Nothing that commits later can stand before the last of them, so a reader who goes on from there misses nothing.</summary>
    [Alias("Read")]
    ValueTask<EventPage> ReadAsync(EventRequest request, CancellationToken cancellationToken = default);

    /// <summary>Count and version of a target as they were, by the log.</summary>
    [Alias("AsOf")]
    ValueTask<TargetAt> AsOfAsync(string targetId, long atMicros, CancellationToken cancellationToken = default);
}

/// <summary>Which events are asked for.</summary>
/// <param name="After">Behind which place.</param>
/// <param name="Limit">How many at most.</param>
/// <param name="TargetId">Only of this target, and decisions about it; null for all.</param>
/// <param name="UserId">Only of this user, and decisions about them; null for all.</param>
[GenerateSerializer, Immutable, Alias("audit.EventRequest")]
public sealed record EventRequest(
    [property: Id(0)] EventPosition After, [property: Id(1)] int Limit, [property: Id(2)] string? TargetId = null, [property: Id(3)] string? UserId = null);

/// <summary>A page of events, which may hold fewer than asked for although more follow; <paramref name="IsAvailable"/> is false when the log could not be read.</summary>
/// <param name="IsAvailable">It was read.</param>
/// <param name="Events">In order.</param>
/// <param name="HasMore">More are sealed behind the last of them.</param>
[GenerateSerializer, Immutable, Alias("audit.EventPage")]
public sealed record EventPage([property: Id(0)] bool IsAvailable, [property: Id(1)] FeedEvent[] Events, [property: Id(2)] bool HasMore);

/// <summary>An event as it is told.</summary>
/// <param name="Position">Where it stands.</param>
/// <param name="Type"><c>given</c>, <c>withdrawn</c>, or what was decided, such as <c>frozen</c>.</param>
/// <param name="TargetId">The target; null for a decision about none.</param>
/// <param name="UserId">The user, or the tombstone in the user's place; null for a decision about nobody.</param>
/// <param name="Heart">The heart; null for a decision.</param>
/// <param name="AtMicros">When, in microseconds since 1970-01-01 UTC.</param>
/// <param name="Origin">Who asked for it, from where and why.</param>
/// <param name="Reason">Why it was decided, in the operator's words.</param>
/// <param name="Subject">What was decided about that is neither a target nor a user: a breaker, or an endpoint of webhooks.</param>
/// <param name="Opening">The opening balance that was set.</param>
/// <param name="OpeningBefore">What it was before.</param>
[GenerateSerializer, Immutable, Alias("audit.FeedEvent")]
public sealed record FeedEvent(
    [property: Id(0)] EventPosition Position,
    [property: Id(1)] string Type,
    [property: Id(2)] string? TargetId,
    [property: Id(3)] string? UserId,
    [property: Id(4)] HeartId? Heart,
    [property: Id(5)] long AtMicros,
    [property: Id(6)] HeartOrigin Origin,
    [property: Id(7)] string? Reason,
    [property: Id(8)] string? Subject = null,
    [property: Id(9)] long? Opening = null,
    [property: Id(10)] long? OpeningBefore = null);

/// <summary>A target at a past time; <paramref name="IsAvailable"/> is false when the log could not be read.</summary>
/// <param name="IsAvailable">It was read.</param>
/// <param name="Count">How many users loved it.</param>
/// <param name="Version">Its version then: that of the last event whose time was not later.</param>
/// <param name="Opening">Its opening balance then, as decisions say.</param>
[GenerateSerializer, Immutable, Alias("audit.TargetAt")]
public readonly record struct TargetAt([property: Id(0)] bool IsAvailable, [property: Id(1)] long Count, [property: Id(2)] long Version, [property: Id(3)] long Opening = 0);
