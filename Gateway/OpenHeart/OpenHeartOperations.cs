using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.OpenHeart;

/// <summary>The Open Heart protocol as the API's document describes it.</summary>
internal static class OpenHeartOperations
{
    private const string Group = "Other buttons";
    private const string Path = "/oh/{site}/{page}";

    private static readonly Parameter[] Page =
    [
        Parameter.OfPath("site", Shape.Text("The host of the page, perhaps with a port.", 1), "blog.example.com"),
        Parameter.OfPath("page", Shape.Text("Names the page; may have slashes.", 1), "hello"),
    ];

    public static readonly Operation Read = new("readReactions", Group, "Reactions of a page (Open Heart)", "The counts of the emoji that were given, by emoji.")
    {
        Path = Path,
        Method = HttpMethod.Get,
        ProblemForm = ProblemForm.Text,
        Parameters = Page,
        Answers =
        [
            new(200, "The counts.", Payload.Json(Shape.Map("Counts by emoji.", Shape.Whole("A count.", 1)), """{"❤️":3}"""), [Header.CacheControl("no-cache"), .. Header.OpenToEverybody]),
        ],
        Problems = [Problem.NotFound, Problem.QuotaExceeded, Problem.Unavailable],
    };

    public static readonly Operation Give = new("giveReaction", Group, "React to a page (Open Heart)", "The first grapheme of the body is given, if it is an emoji that is taken here; once by each reader.")
    {
        Path = Path,
        Method = HttpMethod.Post,
        ProblemForm = ProblemForm.Text,
        IsJudgedByQuotas = true,
        Parameters = [.. Page, new("redirect", Shape.Text("Leads back to the page named, or with an empty value to the one the call came from, if it may."))],
        Body = new("text/plain", Shape.Text("Begins with an emoji.", 1), new Dictionary<string, string> { ["heart"] = "❤️" }, 8 * 1024),
        Answers =
        [
            new(200, "It is given; the emoji.", Payload.Of("text/plain", Shape.Text("The emoji."), "❤️\n"), [Header.CacheControl("no-cache"), .. Header.OpenToEverybody]),
            new(303, "It is given; back to the page.", null, [Header.Location with { Description = "The page.", Example = "https://blog.example.com/hello" }, Header.CacheControl("no-cache"), .. Header.OpenToEverybody]),
        ],
        Problems =
        [
            Problem.BadRequest, Problem.OriginNotAllowed, Problem.NotFound, Problem.BodyTooLarge, Problem.QuotaExceeded, Problem.Unavailable, Problem.TemporaryReducedCapacity, Problem.QueueFull,
            Problem.LedgerUnavailable, Problem.ConflictRetry, Problem.QuotaUnavailable, Problem.OutcomeUnknown,
        ],
    };
}
