using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Applause;

/// <summary>The calls of applause, and the import of its counts, as the API's document describes them.</summary>
internal static class ApplauseOperations
{
    private const string Group = "Other buttons";

    private static readonly Parameter Page = new("url", Shape.Text("The page; without it the one the call came from."), "https://blog.example.com/post");

    private static readonly Header[] Headers = [Header.CacheControl("no-cache"), .. Header.OpenToEverybody];

    private static readonly Answer Total = new(
        200, "The total. A refusal is the total as it is, and `Heart-Problem` says why.", Payload.Json(Shape.Whole("Claps counted elsewhere before, and hearts."), "3"), [Header.RetryAfter, .. Headers]);

    public static readonly Operation GetClaps = new("getClaps", Group, "The total of a page (applause-button)", "As the npm package `applause-button` calls it.")
    {
        Method = HttpMethod.Get,
        ProblemForm = ProblemForm.Text,
        Parameters = [Page],
        Answers = [Total],
    };

    public static readonly Operation UpdateClaps = new("updateClaps", Group, "Clap for a page (applause-button)", "However often a reader claps, it is one heart.")
    {
        Method = HttpMethod.Post,
        ProblemForm = ProblemForm.Text,
        IsJudgedByQuotas = true,
        Parameters = [Page],
        Body = new("application/json", Shape.Text("A number of claps, and the button's version."), new Dictionary<string, string> { ["claps"] = "\"3,4.0.5\"" }, 1024),
        Answers = [Total],
    };

    public static readonly Operation GetMultiple = new("getMultipleClaps", Group, "The totals of many pages (applause-button)", "Of those that are known.")
    {
        Method = HttpMethod.Post,
        ProblemForm = ProblemForm.Text,
        Body = Payload.Request(160 * 1024, Shape.List("Addresses of pages.", Shape.Text("An address."), most: 100), ("pages", """["https://blog.example.com/post","https://blog.example.com/other"]""")),
        Answers =
        [
            new(200, "The totals.", Payload.Json(
                Shape.List("Those that are known.", Shape.Object("PageClaps", "The total of a page.", ("url", Shape.Text("The address as it was asked.")), ("claps", Shape.Whole("The total.")))),
                """[{"url":"https://blog.example.com/post","claps":3}]"""), Headers),
        ],
        Problems = [Problem.BadRequest],
    };

    public static readonly Operation Import = new(
        "importApplause", "Imports", "Bring claps counted elsewhere over", "An operator's call, with what applause's `get-multiple` answers. Each page's opening balance is set, not added to, so that the same dump twice gives the same; 0 takes it away. One bad entry refuses all.")
    {
        Access = Access.Operators,
        Body = Payload.Request(
            1024 * 1024,
            Shape.List("1 to 1,000 entries.", Shape.Object("Dumped", "A page and its claps; other fields are ignored.", ("url", Shape.Text("The address of a page.", 1)), ("claps", Shape.Whole("The total.", 0, (1L << 53) - 1))), 1, 1000),
            ("dump", """[{"url":"https://blog.example.com/post","claps":5012}]""")),
        Answers =
        [
            new(200, "What became of each entry.", Payload.Json(
                Shape.Object(
                    "Imported", "What became of a dump.", ("set", Shape.Whole("Entries that were set.")), ("unchanged", Shape.Whole("Entries that stood so.")), ("failed", Shape.Whole("Entries that may have been set or not; the same call again is safe.")),
                    ("entries", Shape.List("In the order sent.", Shape.Object(
                        "ImportedEntry", "What became of an entry.", ("url", Shape.Text("As sent.")), ("target_id", Shapes.TargetId), ("opening", Shape.Whole("Its opening balance.")), ("result", Shape.OneOf("What became of it.", "set", "unchanged", "failed")))))),
                """{"set":1,"unchanged":0,"failed":0,"entries":[{"url":"https://blog.example.com/post","target_id":"applause:blog.example.com/post","opening":5012,"result":"set"}]}"""), Header.CacheControl("no-store")),
        ],
        Problems = [Problem.Unavailable, Problem.TemporaryReducedCapacity],
    };
}
