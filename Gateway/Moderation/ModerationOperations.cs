using HeartGrains.Gateway.Explain;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Moderation;

/// <summary>Operators' orders and questions as the API's document describes them.</summary>
internal static class ModerationOperations
{
    private const string Group = "Moderation";
    private const string Example = "j3q2-7wAAAAAAAAAAAAAAAA";
    private static readonly Shape Reason = Shape.Text("Why; on one line. It stands in the log.", 1, 200);
    private static readonly Shape User = Shape.Text("The user.", 1, 128);
    private static readonly Shape Id = Shape.Text("The id that the quarantine was answered with.", pattern: "^[A-Za-z0-9_-]{23}$");

    private static readonly Shape Rule = Shape.Object(
        "TargetRule", "What a target is told.",
        ("target_id", Shapes.TargetId), ("frozen", Shape.Flag("Whether its hearts stay as they are.")), ("moved_to", Shape.Text("The target whose old name it is.").OrNull()),
        ("changed", Shape.Flag("Whether it was otherwise before.")));

    private static readonly Shape Blocked = Shape.Object(
        "UserBlock", "Whether a user may give hearts.",
        ("user_id", User), ("blocked", Shape.Flag("Whether not.")), ("until", Shape.Time("Until when not.").OrNull()), ("changed", Shape.Flag("Whether it was otherwise before.")));

    private static readonly Shape Order = Shape.Object("QuarantineEnd", "Which quarantine, and why.", ("id", Id), ("reason", Reason));

    private static readonly Shape Ended = Shape.Object(
        "QuarantineFigures", "How far it is.",
        ("id", Id), ("state", Shape.OneOf("How it stands.", "releasing", "released", "rolling_back", "rolled_back")), ("held", Shape.Whole("Hearts that are still held.")),
        ("released", Shape.Whole("Hearts that were given back.")), ("skipped", Shape.Whole("Hearts that were not, because their users decided anew or are forgotten.")));

    private static readonly Header[] Later = [new("Location", "Where the operation can be looked at, while it runs.", "/api/v1/admin/jobs?id=" + Example), Header.RetryAfter, Header.CacheControl("no-store")];

    public static readonly Operation Freeze = RuleOperation("freezeTarget", "Freeze a target", "Nobody gives or takes back its hearts then; it is read as before.", true);

    public static readonly Operation Unfreeze = RuleOperation("unfreezeTarget", "Let a frozen target go", "Its hearts are given and taken back again.", false);

    public static readonly Operation Move = new(
        "moveTarget", Group, "Rename a target, or merge it into another", "The old name stays, for good, another name of the new one. Hearts go over one by one; each user has one. See docs/moderation.md.")
    {
        Access = Access.Operators,
        Body = Payload.Request(
            8 * 1024, Shape.Object("TargetMove", "What goes where.", ("from", Shapes.TargetId), ("to", Shapes.TargetId), ("reason", Reason)),
            ("move", """{"from":"post_old","to":"post_new","reason":"the post has a new address"}""")),
        Answers =
        [
            new(200, "All hearts have gone over.", Payload.Json(Moved, $$"""{"id":"{{Example}}","state":"done","from":"post_old","to":"post_new","moved":2}"""), Header.CacheControl("no-store")),
            new(202, "The old name leads to the new one; hearts still go over.", Payload.Json(Moved, $$"""{"id":"{{Example}}","state":"running","from":"post_old","to":"post_new","moved":800}"""), Later),
        ],
        Problems = [Problem.TargetMoved, Problem.MoveCycle, Problem.MoveChainTooLong, Problem.LedgerUnavailable, Problem.Unavailable, Problem.OutcomeUnknown],
    };

    public static readonly Operation Block = new(
        "blockUser", Group, "Let a user give no hearts for a time", "Hearts given before stay, and may be taken back. Each silo follows within a second.")
    {
        Access = Access.Operators,
        Body = Payload.Request(
            8 * 1024,
            Shape.Object(
                "UserBlockOrder", "Whom, how long and why: `for` or `until`, and not both.",
                ("user_id", User), ("for", Shape.Text("How long, 1s to 3650d.", pattern: "^[0-9]+[smhd]$").Optional()), ("until", Shape.Time("Until when.").Optional()), ("reason", Reason)),
            ("block", """{"user_id":"u999","for":"30d","reason":"sells hearts"}""")),
        Answers =
        [
            new(200, "The user is blocked.", Payload.Json(Blocked, """{"user_id":"u999","blocked":true,"until":"2026-12-25T17:32:35.123456Z","changed":true}"""), Header.CacheControl("no-store")),
        ],
        Problems = [Problem.TooManyBlocks, Problem.Unavailable, Problem.OutcomeUnknown],
    };

    public static readonly Operation Unblock = new("unblockUser", Group, "Let a user give hearts again", "At once.")
    {
        Access = Access.Operators,
        Body = Payload.Request(
            8 * 1024, Shape.Object("UserUnblockOrder", "Whom, and why.", ("user_id", User), ("reason", Reason)), ("unblock", """{"user_id":"u999","reason":"a mistake"}""")),
        Answers =
        [
            new(200, "The user is not blocked.", Payload.Json(Blocked, """{"user_id":"u999","blocked":false,"until":null,"changed":true}"""), Header.CacheControl("no-store")),
        ],
        Problems = [Problem.Unavailable, Problem.OutcomeUnknown],
    };

    public static readonly Operation Blocks = new("listBlockedUsers", Group, "Who is blocked", "In the order of the decisions.")
    {
        Access = Access.Operators,
        Parameters = [Shapes.Limit, new("cursor", Shape.Text("Where the page before ended: its `next_cursor`."))],
        Answers =
        [
            new(200, "Who is blocked.", Payload.Json(
                Shape.Object(
                    "BlockedUsers", "A page of blocked users.",
                    ("blocks", Shape.List("They.", Shape.Object(
                        "BlockedUser", "A user who is blocked.",
                        ("user_id", User), ("until", Shape.Time("Until when.")), ("since", Shape.Time("Since when.")), ("reason", Shape.Text("Why.")), ("actor", Shape.Text("By whom."))))),
                    ("next_cursor", Shape.Text("Where the next page begins.").OrNull())),
                """{"blocks":[{"user_id":"u999","until":"2026-12-25T17:32:35.123456Z","since":"2026-11-25T17:32:35.123456Z","reason":"sells hearts","actor":"key:operator"}],"next_cursor":null}"""),
                Header.CacheControl("no-store")),
        ],
        Problems = [Problem.InvalidCursor, Problem.LedgerUnavailable, Problem.Unavailable],
    };

    public static readonly Operation Quarantine = new(
        "quarantineHearts", Group, "Hold hearts out of the counts", "Those of a target, of a time, of users, or what all of these have in common. They can be given back in one call. See docs/moderation.md.")
    {
        Access = Access.Operators,
        Body = Payload.Request(
            800 * 1024,
            Shape.Object(
                "QuarantineOrder", "Which hearts: at least one bound.",
                ("target_id", Shapes.TargetId.Optional()), ("from", Shape.Time("Given from then on.").Optional()), ("until", Shape.Time("Given before then; now, if left out.").Optional()),
                ("user_ids", Shape.List("Of these users.", User, 1, 1_000).Optional()), ("reason", Reason)),
            ("window", """{"target_id":"post_123","from":"2026-11-25T17:00:00Z","until":"2026-11-25T18:00:00Z","reason":"a farm at work"}"""),
            ("users", """{"user_ids":["u456"],"reason":"a farm at work"}""")),
        Answers =
        [
            new(200, "All that match are held.", Payload.Json(Holding, $$"""{"id":"{{Example}}","state":"held","held":2}"""), Header.CacheControl("no-store")),
            new(202, "They are still being taken out.", Payload.Json(Holding, $$"""{"id":"{{Example}}","state":"holding","held":800}"""), Later),
        ],
        Problems = [Problem.TargetMoved, Problem.LedgerUnavailable, Problem.Unavailable, Problem.OutcomeUnknown],
    };

    public static readonly Operation ReadQuarantine = new("readQuarantine", Group, "How a quarantine stands", "With its figures.")
    {
        Access = Access.Operators,
        Parameters = [Parameter.Required("id", Id, Example)],
        Answers =
        [
            new(200, "How it stands.", Payload.Json(
                Shape.Object(
                    "Quarantine", "A quarantine.",
                    ("id", Id), ("state", Shape.OneOf("How it stands.", "holding", "held", "releasing", "released", "rolling_back", "rolled_back")), ("target_id", Shape.Text("Of this target's hearts.").OrNull()),
                    ("from", Shape.Time("Given from then on.").OrNull()), ("until", Shape.Time("Given before then.")), ("users", Shape.Whole("Of so many users; 0 of all.")), ("reason", Shape.Text("Why.")),
                    ("actor", Shape.Text("By whom.")), ("since", Shape.Time("When it was ordered.")), ("held", Shape.Whole("Hearts that are held.")), ("released", Shape.Whole("Hearts that were given back.")),
                    ("skipped", Shape.Whole("Hearts that were not."))),
                $$"""{"id":"{{Example}}","state":"held","target_id":"post_123","from":null,"until":"2026-11-25T18:00:00.000000Z","users":0,"reason":"a farm at work","actor":"key:operator","since":"2026-11-25T18:00:00.000000Z","held":2,"released":0,"skipped":0}"""),
                Header.CacheControl("no-store")),
        ],
        Problems = [Problem.NotFound, Problem.LedgerUnavailable, Problem.Unavailable],
    };

    public static readonly Operation Release = EndOperation("releaseQuarantine", "Give a quarantine's hearts back", "But those whose users decided anew meanwhile, or are forgotten.", "released", 2);

    public static readonly Operation Rollback = EndOperation("rollBackQuarantine", "Make a quarantine final", "What it held stays out of the counts, and is forgotten.", "rolled_back", 0);

    public static readonly Operation Explain = new(
        "explainHeart", "Operations", "What support asks of a user and a target", "Is there a heart, since when and by which event; what stands in its way; where things are. A part that could not be had is `null`, and named in `unknown`.")
    {
        Access = Access.Operators,
        Parameters = [Shapes.Target, Parameter.Required("user_id", Shapes.UserId, "u456")],
        Answers = [new(200, "What is known.", Payload.Json(ExplainShapes.Explained, ExplainShapes.Example), Header.CacheControl("no-store"))],
    };

    private static Shape Holding => Shape.Object(
        "QuarantineHeld", "How far it is.", ("id", Id), ("state", Shape.OneOf("How it stands.", "holding", "held")), ("held", Shape.Whole("Hearts held so far.")));

    private static Shape Moved => Shape.Object(
        "TargetMoved", "How far a move is.",
        ("id", Shape.Text("The operation.")), ("state", Shape.OneOf("How it stands.", "running", "done")), ("from", Shapes.TargetId), ("to", Shape.Text("Where it goes, by way of old names.").OrNull()),
        ("moved", Shape.Whole("Hearts that have gone over.")));

    private static Operation EndOperation(string id, string summary, string description, string state, int released) => new(id, Group, summary, description)
    {
        Access = Access.Operators,
        Body = Payload.Request(8 * 1024, Order, ("end", $$"""{"id":"{{Example}}","reason":"they were friends"}""")),
        Answers =
        [
            new(200, "It is so.", Payload.Json(Ended, $$"""{"id":"{{Example}}","state":"{{state}}","held":0,"released":{{released}},"skipped":0}"""), Header.CacheControl("no-store")),
            new(202, "It is on the way.", Payload.Json(Ended, $$"""{"id":"{{Example}}","state":"{{(released > 0 ? "releasing" : "rolling_back")}}","held":800,"released":0,"skipped":0}"""), Later),
        ],
        Problems = [Problem.NotFound, Problem.QuarantineState, Problem.LedgerUnavailable, Problem.Unavailable, Problem.OutcomeUnknown],
    };

    private static Operation RuleOperation(string id, string summary, string description, bool isFrozen) => new(id, Group, summary, description)
    {
        Access = Access.Operators,
        Body = Payload.Request(
            8 * 1024, Shape.Object("TargetOrder", "Which target, and why.", ("target_id", Shapes.TargetId), ("reason", Reason)),
            ("order", """{"target_id":"post_123","reason":"votes are counted"}""")),
        Answers =
        [
            new(200, "It is so.", Payload.Json(Rule, $$"""{"target_id":"post_123","frozen":{{(isFrozen ? "true" : "false")}},"moved_to":null,"changed":true}"""), Header.CacheControl("no-store")),
        ],
        Problems = [Problem.Unavailable, Problem.OutcomeUnknown],
    };
}
