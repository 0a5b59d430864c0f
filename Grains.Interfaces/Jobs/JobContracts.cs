using HeartGrains.Hearts;

namespace HeartGrains.Jobs;

/// <summary>How an operation stands. The numbers are stored.</summary>
public enum JobState : short
{
    /// <summary>It goes on, page by page.</summary>
    Running = 0,

    /// <summary>It is done.</summary>
    Done = 1,

    /// <summary>It ended without being done; its progress says why.</summary>
    Failed = 2,
}

/// <summary>A long operation that is asked for.</summary>
/// <param name="Kind">What is done: a short word of lower-case letters and dashes.</param>
/// <param name="Subject">What or whom it is done to: of one kind and subject only one runs at a time. Stored as a keyed hash.</param>
/// <param name="Arguments">A JSON object for the work. It may name users: it is forgotten when the operation ends.</param>
/// <param name="Actor">Who asks, as in <see cref="HeartOrigin.Actor"/>.</param>
/// <param name="Network">From where, as in <see cref="HeartOrigin.Network"/>; forgotten with the arguments. Null for an erasure: the log would keep where a user was who is forgotten.</param>
[GenerateSerializer, Immutable, Alias("jobs.JobOrder")]
public sealed record JobOrder(
    [property: Id(0)] string Kind, [property: Id(1)] string Subject, [property: Id(2)] string Arguments, [property: Id(3)] string Actor, [property: Id(4)] string? Network = null);

/// <summary>A long operation as others may see it.</summary>
/// <param name="Id">Its name: <c>j</c> and 22 characters of base64url.</param>
/// <param name="Kind">See <see cref="JobOrder"/>.</param>
/// <param name="State">How it stands.</param>
/// <param name="Progress">A JSON object of the work's own, never with a user's id in it.</param>
/// <param name="Actor">Who asked for it first.</param>
/// <param name="StartedMicros">When it was asked for, in microseconds since 1970-01-01 UTC.</param>
/// <param name="FinishedMicros">When it ended; null while it runs.</param>
[GenerateSerializer, Immutable, Alias("jobs.JobView")]
public sealed record JobView(
    [property: Id(0)] string Id,
    [property: Id(1)] string Kind,
    [property: Id(2)] JobState State,
    [property: Id(3)] string Progress,
    [property: Id(4)] string Actor,
    [property: Id(5)] long StartedMicros,
    [property: Id(6)] long? FinishedMicros);

/// <summary>The answer about an operation.</summary>
/// <param name="Outcome"><see cref="HeartOutcome.Committed"/>, or <see cref="HeartOutcome.LedgerUnavailable"/>: nothing is known, and the same call again is safe; or <see cref="HeartOutcome.Blocked"/>: it was not started.</param>
/// <param name="Job">The operation; null when there is none of that name.</param>
/// <param name="UntilMicros">When blocked, until when, in microseconds since 1970-01-01 UTC.</param>
[GenerateSerializer, Immutable, Alias("jobs.JobReply")]
public sealed record JobReply([property: Id(0)] HeartOutcome Outcome, [property: Id(1)] JobView? Job, [property: Id(2)] long UntilMicros = 0);
