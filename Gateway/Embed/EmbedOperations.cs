using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Embed;

/// <summary>What sites embed, as the API's document describes it.</summary>
internal static class EmbedOperations
{
    private const string Group = "Embedding";

    public static readonly Operation Form = new("postHeartForm", Group, "A heart by a plain form", "For pages without JavaScript: gives or takes back a reader's heart and leads back to the page. Refusals are pages.")
    {
        Access = Access.AnonymousReaders,
        IsJudgedByQuotas = true,
        Body = new(
            Payload.FormType,
            Shape.Object(
                "HeartForm", "A form's fields.", ("target_id", Shapes.TargetId), ("return", Shape.Text("The page to lead back to, of this service or of a configured site.", most: 2048).Optional()),
                ("action", Shape.OneOf("What to do; `give` if left out.", "give", "withdraw").Optional())),
            new Dictionary<string, string> { ["give"] = """{"target_id":"post_123","return":"/demo"}""", ["withdraw"] = """{"target_id":"post_123","action":"withdraw"}""" }, 16 * 1024),
        Answers = [new(303, "Done; back to the page.", null, Header.Location with { Description = "The page.", Example = "/demo", IsAlways = true }, Header.CacheControl("no-store"), Header.NewReader, Header.NewReaderToken)],
        Problems =
        [
            Problem.InvalidFields, Problem.Unavailable, Problem.QueueFull, Problem.LedgerUnavailable, Problem.ConflictRetry, Problem.QuotaUnavailable, Problem.OutcomeUnknown,
            Problem.TargetFrozen, Problem.UserBlocked,
        ],
    };

    public static readonly Operation Badge = new("readBadge", Group, "The count as a picture", "While silos do not answer it shows the last known count.")
    {
        Parameters =
        [
            Shapes.Target,
            new("label", Shape.Text("Words before the count; at most 64 bytes of UTF-8.", most: 64), "hearts"),
            new("color", Shape.Text("Three or six hexadecimal digits, or one of the names in docs/embedding.md.", most: 16), "teal"),
            new("style", Shape.OneOf("Its form.", "flat", "square", "pill"), "pill"),
            new("If-None-Match", Shape.Text("Entity tags that are known."), null, Microsoft.OpenApi.ParameterLocation.Header),
        ],
        Answers =
        [
            new(200, "The picture.", Payload.Of("image/svg+xml", Shape.Text("SVG."), "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), Headers()),
            new(304, "It looks as it did.", null, Headers()),
        ],
        Problems = [Problem.Unavailable, Problem.LedgerUnavailable],
    };

    private static Header[] Headers() =>
    [
        Header.EntityTag with { Description = "By what is shown; send it back as `If-None-Match`." }, Header.CacheControl("public, max-age=60"),
        new("Content-Security-Policy", "The picture runs nothing and loads nothing.", "default-src 'none'; sandbox", true),
        new("X-Content-Type-Options", "It is a picture and nothing else.", "nosniff", true),
        new("Cross-Origin-Resource-Policy", "Pages of every site may show it.", "cross-origin", true),
    ];
}
