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
/// <param name="Detail">What else was decided; null when nothing.</param>
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
    [property: Id(10)] long? OpeningBefore = null,
    [property: Id(11)] FeedDetail? Detail = null);

/// <summary>What a decision says of its own kind, as far as it is told. None of it names a user.</summary>
/// <param name="To">Of a move: where to, as it was ordered.</param>
/// <param name="SinceMicros">Of a quarantine: of hearts given from this time on, in microseconds since 1970-01-01 UTC.</param>
/// <param name="UntilMicros">Of a block: when it ends; of a quarantine: of hearts given before this time.</param>
/// <param name="Users">Of a quarantine: of so many users; 0 for all.</param>
/// <param name="Quarantine">Of the end of a quarantine: which.</param>
/// <param name="Hearts">Of an erasure: hearts withdrawn.</param>
/// <param name="Rows">Of an erasure: rows of the log that bear the tombstone.</param>
/// <param name="Moved">Of a merge: hearts that are the account's now.</param>
/// <param name="Already">Of a merge: hearts that the account had given itself.</param>
/// <param name="Left">Of a merge: hearts that stay the reader's.</param>
/// <param name="Found">Of a repair: kinds of what was found.</param>
[GenerateSerializer, Immutable, Alias("audit.FeedDetail")]
public sealed record FeedDetail(
    [property: Id(0)] string? To = null,
    [property: Id(1)] long? SinceMicros = null,
    [property: Id(2)] long? UntilMicros = null,
    [property: Id(3)] int? Users = null,
    [property: Id(4)] string? Quarantine = null,
    [property: Id(5)] long? Hearts = null,
    [property: Id(6)] long? Rows = null,
    [property: Id(7)] long? Moved = null,
    [property: Id(8)] long? Already = null,
    [property: Id(9)] long? Left = null,
    [property: Id(10)] string[]? Found = null);

/// <summary>A target at a past time; <paramref name="IsAvailable"/> is false when the log could not be read.</summary>
/// <param name="IsAvailable">It was read.</param>
/// <param name="Count">How many users loved it.</param>
/// <param name="Version">Its version then: that of the last event whose time was not later.</param>
/// <param name="Opening">Its opening balance then, as decisions say.</param>
[GenerateSerializer, Immutable, Alias("audit.TargetAt")]
public readonly record struct TargetAt([property: Id(0)] bool IsAvailable, [property: Id(1)] long Count, [property: Id(2)] long Version, [property: Id(3)] long Opening = 0);
