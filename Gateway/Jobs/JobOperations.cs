using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Jobs;

/// <summary>The calls of long operations as the API's document describes them, and what other routes say of the operations that they start.</summary>
internal static class JobOperations
{
    /// <summary>The name of an operation.</summary>
    public static readonly Shape Id = Shape.Text("The operation's id.", pattern: "^j[A-Za-z0-9_-]{22}$");

    /// <summary>How an operation stands.</summary>
    public static readonly Shape State = Shape.OneOf("How it stands.", "running", "done", "failed");

    /// <summary>When it was asked for.</summary>
    public static readonly Shape Started = Shape.Time("When it was asked for.");

    /// <summary>When it ended.</summary>
    public static readonly Shape Finished = Shape.Time("When it ended; `null` while it runs.").OrNull();

    /// <summary>The headers of 202.</summary>
    public static readonly Header[] Accepted =
    [
        Header.CacheControl("no-store"),
        new("Location", "Where an operator can look at it.", "/api/v1/admin/jobs?id=jAAAAAAAAAAAAAAAAAAAAAA", true),
        new("Retry-After", "Seconds until it may be worth a look.", "1", true),
    ];

    /// <summary>The same where users ask as well, who are not told a place that they may not see.</summary>
    public static readonly Header[] AcceptedFromAnybody = [Accepted[0], new("Location", "Where an operator can look at it; an operator alone is told.", "/api/v1/admin/jobs?id=jAAAAAAAAAAAAAAAAAAAAAA"), Accepted[2]];

    /// <summary>The same where nobody is told.</summary>
    public static readonly Header[] AcceptedFromUsers = [Accepted[0], Accepted[2]];

    /// <summary>How a long operation stands.</summary>
    public static readonly Operation Read = new("readJob", "Operators", "How a long operation stands", "An operator's call. `progress` is of the operation's own kind. It never names a user.")
    {
        Access = Access.Operators,
        Parameters = [Parameter.Required("id", Id, "jAAAAAAAAAAAAAAAAAAAAAA")],
        Answers =
        [
            new(200, "How it stands.", Payload.Json(
                Shape.Object(
                    "Job", "A long operation.", ("id", Id), ("kind", Shape.Text("What is done.")), ("state", State), ("progress", Shape.Map("What is done so far.", Shape.Anything("A figure or a word."))),
                    ("actor", Shape.Text("Who asked.")), ("started", Started), ("finished", Finished)),
                """{"id":"jAAAAAAAAAAAAAAAAAAAAAA","kind":"erase-user","state":"done","progress":{"hearts":2,"rows":5},"actor":"key:operator","started":"2026-11-26T07:00:00.000000Z","finished":"2026-11-26T07:00:00.120000Z"}"""),
                Header.CacheControl("no-store")),
        ],
        Problems = [Problem.NotFound, Problem.Unavailable, Problem.LedgerUnavailable, Problem.TemporaryReducedCapacity],
    };
}
