using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Hearts;

/// <summary>The calls of hearts as the API's document describes them.</summary>
internal static class HeartOperations
{
    private const string Group = "Hearts";

    private static readonly Problem[] ReadProblems = [Problem.Unavailable, Problem.LedgerUnavailable];

    private static readonly Problem[] WriteProblems =
    [
        Problem.Unavailable, Problem.QueueFull, Problem.LedgerUnavailable, Problem.ConflictRetry, Problem.QuotaUnavailable, Problem.OutcomeUnknown,
    ];

    private static readonly Shape State = Shape.Object(
        "TargetState", "How a target stands.",
        ("target_id", Shapes.TargetId), ("count", Shapes.Count), ("version", Shapes.Version),
        ("opening", Shape.Whole("What was counted elsewhere before, never part of `count`.", 1).Optional()),
        ("hearted", Shape.Flag("Whether the user loves it; where one is named, or a reader asks.").Optional()),
        ("stale", Shape.Flag("`true`: silos cannot be asked now, and this is what was last heard.").Optional()),
        ("as_of", Shape.Time("Since when that is known; or the past time that was asked for.").Optional()));

    private static readonly Shape Given = Shape.Object(
        "GivenHeart", "A heart and how its target stands.",
        ("id", Shapes.HeartId), ("target_id", Shapes.TargetId), ("user_id", Shape.Text("Who loves it; of an anonymous reader it begins with `reader:`.")), ("count", Shapes.Count),
        ("timestamp", Shapes.GivenAt), ("version", Shapes.Version), ("created", Shape.Flag("Whether this call gave it.")));

    private static readonly Shape Withdrawn = Shape.Object(
        "WithdrawnHeart", "A heart that is not there, and how its target stands.",
        ("target_id", Shapes.TargetId), ("user_id", Shape.Text("Who loved it.")), ("count", Shapes.Count), ("version", Shapes.Version),
        ("hearted", Shape.Flag("Always `false`.")), ("removed", Shape.Flag("Whether there was one.")));

    public static readonly Operation Give = new(
        "giveHeart", Group, "Give a heart",
        "A repeat gives nothing new and tells the first heart again, so the call can be repeated at any time, and after a lost answer it should be. Without `user_id` the user whose token comes along gives it, or the anonymous reader who calls.")
    {
        Access = Access.Users,
        IsJudgedByQuotas = true,
        Body = Payload.Request(
            HeartWrites.BodyByteLimit,
            Shape.Object("HeartRequest", "Who loves what.", ("target_id", Shapes.TargetId), ("user_id", Shapes.UserId.Optional()), ("campaign_id", Shapes.CampaignId.Optional())),
            ("user", """{"target_id":"post_123","user_id":"u456"}"""),
            ("campaign", """{"target_id":"post_123","user_id":"u457","campaign_id":"spring"}"""),
            ("reader", """{"target_id":"post_123"}""")),
        Answers =
        [
            new(201, "The heart is new, and on disk.", Payload.Json(Given, """{"id":"h_wPMfd3GCKHRE7K4UBkMbg","target_id":"post_123","user_id":"u456","count":1,"timestamp":"2024-06-15T10:22:33.123456Z","version":1,"created":true}"""),
                Header.Location with { IsAlways = true }, Header.NewReader, Header.NewReaderToken),
            new(200, "It was given before: the same `id` and `timestamp`, nothing written.", Payload.Json(Given, """{"id":"h_wPMfd3GCKHRE7K4UBkMbg","target_id":"post_123","user_id":"u456","count":1,"timestamp":"2024-06-15T10:22:33.123456Z","version":1,"created":false}"""),
                Header.NewReader, Header.NewReaderToken),
        ],
        Problems = [.. WriteProblems, Problem.TargetFrozen, Problem.UserBlocked],
    };

    public static readonly Operation Withdraw = new("withdrawHeart", Group, "Take a heart back", "Nothing changes when there was none. Giving again counts again and gets a new `timestamp`.")
    {
        Access = Access.Users,
        IsJudgedByQuotas = true,
        Parameters = [Shapes.Target, Shapes.User],
        Answers =
        [
            new(200, "There is no heart now.", Payload.Json(Withdrawn, """{"target_id":"post_123","user_id":"u456","count":0,"version":2,"hearted":false,"removed":true}"""), Header.NewReader, Header.NewReaderToken),
        ],
        Problems = [.. WriteProblems, Problem.TargetFrozen],
    };

    public static readonly Operation Read = new(
        "readTarget", Group, "Read a target",
        "A target that nobody loved has count 0 and version 0; it is never \"not found\". While silos answer badly or not at all, the gateway tells what it last heard, marked `stale`.")
    {
        Access = Access.ReadersOfUsers,
        Parameters =
        [
            Shapes.Target, Shapes.User, new("as_of", Shape.Time("A past time, from 1970 on: the target as it was then, by the log. Without `user_id`.")),
            new("If-None-Match", Shape.Text("Entity tags of versions that are known: one, a list, weak or strong, or `*`."), null, Microsoft.OpenApi.ParameterLocation.Header),
        ],
        Answers =
        [
            new(200, "How the target stands.", Payload.Json(State, """{"target_id":"post_123","count":1,"version":1,"hearted":true}"""), Header.EntityTag, Header.CacheControl("no-cache"), Header.Age),
            new(304, "Nothing has changed since the version of `If-None-Match`.", null, Header.EntityTag, Header.CacheControl("no-cache")),
        ],
        Problems = ReadProblems,
    };

    public static readonly Operation Query = new("readTargets", Group, "Read many targets", "Answered in the order asked; a target named twice is answered twice. All or nothing.")
    {
        Access = Access.ReadersOfUsers,
        Body = Payload.Request(
            HeartReads.BatchBodyByteLimit,
            Shape.Object(
                "TargetsRequest", "Which targets, and whose hearts to tell.",
                ("target_ids", Shape.List("1 to 100 targets.", Shapes.TargetId, 1, HeartBody.BatchLimit)), ("user_id", Shapes.UserId.Optional())),
            ("user", """{"target_ids":["post_123","post_124"],"user_id":"u456"}"""),
            ("counts", """{"target_ids":["post_123"]}""")),
        Answers =
        [
            new(200, "How the targets stand.", Payload.Json(
                Shape.Object("TargetStates", "How targets stand.", ("hearts", Shape.List("In the order asked.", State))),
                """{"hearts":[{"target_id":"post_123","count":1,"version":1,"hearted":true},{"target_id":"post_124","count":0,"version":0,"hearted":false}]}"""), Header.CacheControl("no-store"), Header.Age),
        ],
        Problems = ReadProblems,
    };

    public static readonly Operation Users = new(
        "listUsers", Group, "Who loves a target", "Newest first. Pass `next_cursor` back as `cursor` for the next page: paging neither skips nor repeats anyone while hearts arrive. A page may be shorter than `limit`, even empty; the last one has `null`.")
    {
        Access = Access.Lists,
        Parameters = [Shapes.Target, Shapes.Limit, new("cursor", Shape.Text("The `next_cursor` of the page before, of the same target.", 1))],
        Answers =
        [
            new(200, "A page of them.", Payload.Json(
                Shape.Object(
                    "UserPage", "Who loves a target.", ("target_id", Shapes.TargetId),
                    ("users", Shape.List("Newest first.", Shape.Object("UserHeart", "Who, and since when.", ("user_id", Shape.Text("The user.")), ("id", Shapes.HeartId), ("timestamp", Shapes.GivenAt)), most: HeartQuery.MaxLimit)),
                    ("next_cursor", Shape.Text("Where the next page begins; `null` after the last.").OrNull())),
                """{"target_id":"post_123","users":[{"user_id":"u456","id":"h_wPMfd3GCKHRE7K4UBkMbg","timestamp":"2024-06-15T10:22:33.123456Z"}],"next_cursor":null}"""), Header.CacheControl("no-cache")),
        ],
        Problems = [Problem.InvalidCursor, .. ReadProblems],
    };

    public static readonly Operation Top = new("listTop", Group, "The most loved targets", "By count, highest first; read from an index that follows the log by at most a second.")
    {
        Parameters = [Shapes.Limit],
        Answers =
        [
            new(200, "The most loved.", Payload.Json(
                Shape.Object(
                    "TopTargets", "Targets by count.",
                    ("targets", Shape.List("Highest first.", Shape.Object("TopTarget", "A target that is loved.", ("target_id", Shapes.TargetId), ("count", Shapes.Count), ("version", Shapes.Version)), most: HeartQuery.MaxLimit))),
                """{"targets":[{"target_id":"post_123","count":2,"version":4},{"target_id":"post_9","count":1,"version":1}]}"""), Header.CacheControl("no-cache")),
        ],
        Problems = ReadProblems,
    };
}
