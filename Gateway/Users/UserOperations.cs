using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Jobs;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Users;

/// <summary>The calls about whole users as the API's document describes them.</summary>
internal static class UserOperations
{
    private const string Group = "Users";

    private static readonly Problem[] Starting =
        [Problem.QueueFull, Problem.LedgerUnavailable, Problem.ConflictRetry, Problem.Unavailable, Problem.TemporaryReducedCapacity, Problem.OutcomeUnknown];

    private static readonly Parameter User = new(
        "user_id", Shape.Text("Whom it is about; without one the user whose token comes along, or the anonymous reader. Needed with a server key.", 1, Identifier.UserByteLimit), "u456");

    private static readonly Shape Erasure = Shape.Object(
        "Erasure", "A receipt.", ("receipt", JobOperations.Id), ("state", JobOperations.State), ("hearts", Shape.Whole("Hearts withdrawn.")), ("rows", Shape.Whole("Rows of the log that bear the tombstone `erased:` and the receipt instead of the name.")),
        ("started", JobOperations.Started), ("finished", JobOperations.Finished));

    private static readonly Shape Line = Shape.Object(
        "ExportLine", "Something that is held; what does not apply is left out.",
        ("type", Shape.OneOf("What.", "user", "event", "heart", "decision", "block", "quarantine", "quota", "end")), ("user_id", Shape.Text("Whom all of it is about.").Optional()),
        ("action", Shape.OneOf("What happened.", "given", "withdrawn", "decided").Optional()), ("timestamp", Shape.Time("When.").Optional()), ("actor", Shape.Text("Who proved to be whom.").Optional()),
        ("target_id", Shape.Text("The target.").Optional()), ("heart", Shapes.HeartId.Optional()), ("id", Shapes.HeartId.Optional()), ("version", Shape.Whole("The target's version.", 1).Optional()),
        ("cause", Shape.OneOf("Why a heart changed, if not by its user.", "merged", "erased", "quarantined", "released", "moved").Optional()), ("network", Shape.Text("Where from, where that is kept.").Optional()),
        ("job", Shape.Text("The operation it was a part of.").Optional()), ("detail", Shape.Map("What was decided.", Shape.Anything("A figure or a word.")).Optional()), ("reason", Shape.Text("Why, of a block or a quarantine.").Optional()), ("until", Shape.Time("When the block ends.").Optional()), ("quarantine", Shape.Text("The quarantine that holds hearts.").Optional()), ("policy", Shape.Text("The quota.").Optional()),
        ("limit", Shape.Whole("Its tokens.").Optional()), ("remaining_at_grain", Shape.Whole("Of them left, but for gateways' slices.").Optional()), ("reset_seconds", Shape.Whole("Until it is whole.").Optional()),
        ("hearts", Shape.Whole("At the end: lines of hearts; of a quarantine: hearts it holds.").Optional()), ("events", Shape.Whole("Lines of events and decisions.").Optional()));

    private static readonly Shape Merged = Shape.Object(
        "Merge", "What became of a reader's hearts.", ("receipt", JobOperations.Id), ("state", JobOperations.State), ("user_id", Shape.Text("The account.")), ("moved", Shape.Whole("Hearts that are the account's now.")),
        ("already", Shape.Whole("Hearts that the account had given itself: they count once.")), ("left", Shape.Whole("Hearts that stay the reader's: both love a target that is frozen.")), ("targets", Shape.Whole("Targets concerned.")), ("started", JobOperations.Started), ("finished", JobOperations.Finished));

    public static readonly Operation Erase = new(
        "eraseUser", Group, "Forget a user", "Withdraws the user's hearts, replaces the name in the log by a tombstone, forgets networks and quotas. Goes on by itself; the same call joins it. See docs/users.md.")
    {
        Access = Access.Subjects,
        Parameters = [User with { Example = "u789", IsRequired = true }],
        Answers =
        [
            new(200, "It is done.", Payload.Json(Erasure, """{"receipt":"jAAAAAAAAAAAAAAAAAAAAAA","state":"done","hearts":2,"rows":5,"started":"2026-11-26T07:00:00.000000Z","finished":"2026-11-26T07:00:00.120000Z"}"""), Header.CacheControl("no-store")),
            new(202, "It goes on.", Payload.Json(Erasure, """{"receipt":"jAAAAAAAAAAAAAAAAAAAAAA","state":"running","hearts":2000,"rows":2000,"started":"2026-11-26T07:00:00.000000Z","finished":null}"""), JobOperations.AcceptedFromAnybody),
        ],
        Problems = [Problem.OriginNotAllowed, Problem.UserMismatch, Problem.QuotaExceeded, .. Starting],
    };

    public static readonly Operation Export = new(
        "exportUser", Group, "All that is held about a user", "Lines of JSON, each with a `type`: `user`, `event`, `heart`, `decision`, `block`, `quarantine`, `quota`. The last is `end`; without it the answer is not whole.")
    {
        Access = Access.Subjects,
        Parameters = [User with { IsRequired = true }],
        Answers =
        [
            new(200, "All of it.", Payload.Lines(
                    Line,
                    ("user", """{"type":"user","user_id":"u456"}"""),
                    ("event", """{"type":"event","action":"given","timestamp":"2026-11-26T07:00:00.000000Z","actor":"jwt","target_id":"post_123","heart":"h_wPMfd3GCKHRE7K4UBkMbg","version":1}"""),
                    ("heart", """{"type":"heart","target_id":"post_123","id":"h_wPMfd3GCKHRE7K4UBkMbg","timestamp":"2026-11-26T07:00:00.000000Z"}"""),
                    ("quota", """{"type":"quota","policy":"user","limit":60,"remaining_at_grain":58,"reset_seconds":2}"""),
                    ("end", """{"type":"end","hearts":1,"events":1}""")),
                Header.CacheControl("no-store")),
        ],
        Problems = [Problem.UserMismatch, Problem.QuotaExceeded, Problem.LedgerUnavailable, Problem.Unavailable, Problem.TemporaryReducedCapacity],
    };

    public static readonly Operation Merge = new(
        "mergeReader", Group, "Take over an anonymous reader's hearts", "After sign-in: the account is proved by its token or named by a server, the reader by the cookie, the header `Heart-Reader` or `reader_token`. A target that both love counts once. Safe to repeat; the reader's cookie is taken away when it is done.")
    {
        Access = Access.Accounts,
        Body = Payload.Request(
            HeartWrites.BodyByteLimit,
            Shape.Object(
                "MergeRequest", "Who is who. Empty where both come with the call.", ("user_id", Shapes.UserId.Optional()), ("reader_token", Shape.Text("The reader's token.", 1, Identifier.UserByteLimit).Optional()),
                ("reader_origin", Shape.Text("The origin of the page whose element keeps the token, where a server sends it.", 1, Identifier.TargetByteLimit).Optional())),
            ("server", """{"user_id":"u456","reader_token":"1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"""), ("browser", "{}")),
        Answers =
        [
            new(200, "It is done.", Payload.Json(Merged, """{"receipt":"jAAAAAAAAAAAAAAAAAAAAAA","state":"done","user_id":"u456","moved":3,"already":1,"left":0,"targets":4,"started":"2026-11-26T07:00:00.000000Z","finished":"2026-11-26T07:00:00.120000Z"}"""), Header.CacheControl("no-store"),
                new Header("Set-Cookie", "Takes the reader's cookie away.", "heart_reader=; max-age=0; path=/; samesite=lax; httponly")),
            new(202, "It goes on.", Payload.Json(Merged, """{"receipt":"jAAAAAAAAAAAAAAAAAAAAAA","state":"running","user_id":"u456","moved":300,"already":0,"left":0,"targets":300,"started":"2026-11-26T07:00:00.000000Z","finished":null}"""), JobOperations.AcceptedFromUsers),
        ],
        Problems = [Problem.OriginNotAllowed, Problem.UserMismatch, Problem.UserBlocked, Problem.QuotaExceeded, .. Starting],
    };
}
