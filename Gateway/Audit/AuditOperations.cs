using HeartGrains.Audit;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Audit;

/// <summary>The calls about the log as the API's document describes them.</summary>
internal static class AuditOperations
{
    private const string Group = "The log";
    private const string EventExample =
        """{"id":"e1SnPhplPQHUhc_TAVn3d1gAAAAAAAAAB","type":"given","target_id":"post_123","user_id":"u456","heart":"h_wPMfd3GCKHRE7K4UBkMbg","version":1,"at":"2024-06-15T10:22:33.123456Z","actor":"jwt"}""";

    private static readonly Shape FindingKind = Shape.OneOf("What kind; see docs/audit.md.", [.. FindingKinds.All]);

    private static readonly Shape Event = Shape.Object(
        "Event", "Something that happened; what does not apply is left out.",
        ("id", Shape.Text("The event's id, the same for ever.", pattern: "^e[A-Za-z0-9_-]{32}$")), ("type", Shape.Text("`given`, `withdrawn`, or what an operator decided, such as `frozen`.")),
        ("cause", Shape.OneOf("Why a heart changed, if not by its user.", "merged", "erased", "quarantined", "released", "moved").Optional()),
        ("target_id", Shape.Text("The target.").Optional()), ("user_id", Shape.Text("The user, or `erased:` and a receipt.").Optional()), ("heart", Shapes.HeartId.Optional()),
        ("version", Shape.Whole("The target's version; of a decision, its number.", 1)), ("at", Shape.Time("When: UTC, in microseconds.")),
        ("actor", Shape.Text("Who proved to be whom: `claimed`, `jwt`, `reader`, `key:NAME`, `system`.")), ("network", Shape.Text("Where from, where that is kept.").Optional()),
        ("job", Shape.Text("The operation it was a part of.").Optional()), ("reason", Shape.Text("An operator's words.").Optional()),
        ("subject", Shape.Text("What was decided about that is neither target nor user: a breaker, or an endpoint of webhooks.").Optional()),
        ("opening", Shape.Whole("The opening balance that was set.").Optional()), ("opening_before", Shape.Whole("What it was.").Optional()),
        ("to", Shape.Text("Of `moved`: where to.").Optional()), ("since", Shape.Time("Of `quarantined`: of hearts given from this moment on.").Optional()),
        ("until", Shape.Time("Of `blocked`: when it ends; of `quarantined`: of hearts given before this moment.").Optional()), ("users", Shape.Whole("Of `quarantined`: of so many users; 0: of all.").Optional()),
        ("quarantine", Shape.Text("Of `released` and `rolled_back`: the quarantine.").Optional()),
        ("hearts", Shape.Whole("Of `erased`: hearts withdrawn.").Optional()), ("rows", Shape.Whole("Of `erased`: rows that bear the tombstone.").Optional()),
        ("moved", Shape.Whole("Of `merged`: hearts that are the account's now.").Optional()), ("already", Shape.Whole("Of `merged`: hearts that the account had given itself.").Optional()),
        ("left", Shape.Whole("Of `merged`: hearts that stay the reader's.").Optional()), ("found", Shape.List("Of `repaired`: what was found.", FindingKind).Optional()));

    private static readonly Shape Next = Shape.Text("Where to go on.", pattern: "^[A-Za-z0-9_-]{52}$");

    private static readonly Shape Finding = Shape.Object(
        "Finding", "Something that is not as the log says, or not as it was sealed.",
        ("kind", FindingKind), ("target_id", Shape.Text("Of which target.").Optional()),
        ("block", Shape.Whole("In which block of the chain.", 1).Optional()), ("text", Shape.Text("In words.")));

    private static readonly Shape Seal = Shape.Object(
        "Seal", "A block of the log: the last one is to be kept elsewhere.", ("number", Shape.Whole("Its number.", 1)), ("hash", Shape.Text("Its hash.", pattern: "^[0-9A-Fa-f]{64}$")));

    private static readonly Shape Progress = Shape.Object(
        "Comparison", "How far the comparison of everything has come.",
        ("agrees", Shape.Flag("Nothing was found.").Optional()), ("blocks", Shape.Whole("Blocks compared.").Optional()), ("events", Shape.Whole("Events in them.").Optional()),
        ("targets", Shape.Whole("Targets compared.").Optional()), ("repaired", Shape.Whole("Targets made anew.").Optional()), ("findings", Shape.List("The first hundred.", Finding).Optional()), ("head", Seal.Optional()));

    private static readonly Shape Verification = Shape.Object(
        "Verification", "A target compared; or, of everything, the operation.",
        ("target_id", Shape.Text("The target.").Optional()), ("state", Shape.OneOf("How it stands: `finished` of a target, `done` of everything.", "running", "finished", "done", "failed")),
        ("agrees", Shape.Flag("Nothing is wrong; after a repair, nothing is left.").Optional()), ("version", Shape.Whole("The last version of its log.").Optional()),
        ("count", Shape.Whole("Its hearts by the log.").Optional()), ("findings", Shape.List("What was found, the first hundred.", Finding).Optional()),
        ("repaired", Shape.Flag("What is folded from the log was made anew.").Optional()), ("left", Shape.List("What was found after that.", Finding).Optional()), ("head", Seal.Optional()),
        ("id", Shape.Text("The operation's id.").Optional()), ("kind", Shape.OneOf("Its kind.", "verify").Optional()), ("progress", Progress.Optional()), ("actor", Shape.Text("Who asked for it.").Optional()),
        ("started", Shape.Time("When.").Optional()), ("finished", Shape.Time("When it ended.").OrNull().Optional()));

    private static readonly Shape EventsEnd = Shape.Object(
        "EventsEnd", "The last line.", ("next", Next), ("code", Shape.OneOf("The lines end early; what was sent is right.", Problem.Unavailable.Code).Optional()));

    public static readonly Operation Events = new(
        "listEvents", Group, "All that happened", "In one order that skips nothing that commits late; about a second behind. Go on with `after` set to `next`. With `Accept: application/x-ndjson` a line an event, to the end, and a last line with `next`. See docs/audit.md.")
    {
        Access = Access.Operators,
        Parameters =
        [
            new("after", Shape.Text("A `next`; left out, from the beginning.", 1)), new("limit", Shape.Whole("How many at most; 100 if left out.", 1, EventQuery.MaxLimit), "2"),
            new("target_id", Shapes.TargetId, "post_123"), new("user_id", Shapes.UserId, "u456"),
            new("wait", Shape.Whole("Seconds to wait for an event where there is none.", 0, EventQuery.MaxWaitSeconds), "0"),
        ],
        Answers =
        [
            new(200, "A page.", Payload.Json(
                Shape.Object(
                    "Events", "A page of events.", ("events", Shape.List("In order.", Event, 0, EventQuery.MaxLimit)), ("next", Next), ("more", Shape.Flag("More are there already."))),
                $$"""{"events":[{{EventExample}}],"next":"AQAAAAAAAALuAQIDBAUGBwgJCgsMDQ4PEAAAAAAAAAABAAAAAAAA","more":false}"""),
                Header.CacheControl("no-store"))
            {
                Instead = Payload.Lines(
                    Shape.AnyOf("A line.", Event, EventsEnd), ("event", EventExample), ("end", """{"next":"AQAAAAAAAALuAQIDBAUGBwgJCgsMDQ4PEAAAAAAAAAABAAAAAAAA"}""")),
            },
        ],
        Problems = [Problem.InvalidCursor, Problem.Unavailable, Problem.LedgerUnavailable],
    };

    public static readonly Operation Verify = new(
        "verify", Group, "Hold a target, or everything, against the log", "`repair` makes anew what is only folded from the log. What takes longer than a moment goes on: the same call again joins it. See docs/audit.md.")
    {
        Access = Access.Operators,
        Body = Payload.Request(
            VerifyEndpoints.BodyByteLimit,
            Shape.Object(
                "VerificationOrder", "What is to be compared.", ("target_id", Shapes.TargetId.Optional()), ("repair", Shape.Flag("Mend what can be mended.").Optional()), ("since_seal", Seal.Optional())),
            ("target", """{"target_id":"post_123","repair":true}"""),
            ("everything", "{}")),
        Answers =
        [
            new(200, "It is compared.", Payload.Json(Verification, """{"target_id":"post_123","state":"finished","agrees":true,"version":1,"count":1,"findings":[],"repaired":false}"""), Header.CacheControl("no-store")),
            new(202, "It goes on.", Payload.Json(Verification, """{"target_id":"post_123","state":"running"}"""), Header.CacheControl("no-store"), Header.RetryAfter, Header.Location with { Description = "Where the operation can be looked at.", Example = "/api/v1/admin/jobs?id=jAAAAAAAAAAAAAAAAAAAAAA" }),
        ],
        Problems = [Problem.Unavailable, Problem.QueueFull, Problem.LedgerUnavailable, Problem.ConflictRetry, Problem.OutcomeUnknown, Problem.TemporaryReducedCapacity],
    };
}
