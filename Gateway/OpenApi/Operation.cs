using HeartGrains.Gateway.Problems;
using Microsoft.OpenApi;

namespace HeartGrains.Gateway.OpenApi;

/// <summary>Who may make a call.</summary>
internal enum Access
{
    /// <summary>Everybody.</summary>
    Everybody,

    /// <summary>Changes something for the anonymous reader who calls.</summary>
    AnonymousReaders,

    /// <summary>Changes something for a user: the user, who proves it, an anonymous reader, or a server for any user.</summary>
    Users,

    /// <summary>Reads something of a user, if it names one: as <see cref="Users"/>.</summary>
    ReadersOfUsers,

    /// <summary>Reads what concerns many users: servers, and everybody where claims are believed.</summary>
    Lists,

    /// <summary>Concerns a whole user: the user, who proves it, an anonymous reader, or an operator for any user.</summary>
    Subjects,

    /// <summary>Changes something for an account: the user, who proves it, or a server for any user.</summary>
    Accounts,

    /// <summary>Operators: a server key with <c>hearts:admin</c>.</summary>
    Operators,
}

/// <summary>
/// What the document of the API says of one method of a route, beside what follows from the route itself: see <see cref="ApiDocument"/>. It stands in the endpoint's metadata, so
/// that the document has what is mapped and nothing else.
/// </summary>
/// <param name="Id">The name that generated clients give the call, unique: <c>giveHeart</c>.</param>
/// <param name="Group">The heading it stands under.</param>
/// <param name="Summary">What it does, in a few words.</param>
/// <param name="Description">What else its caller should know; Markdown.</param>
internal sealed record Operation(string Id, string Group, string Summary, string Description)
{
    /// <summary>The path, where the route's own pattern is none that a document can say.</summary>
    public string? Path { get; init; }

    /// <summary>The method, where the route takes several or does not say.</summary>
    public HttpMethod? Method { get; init; }

    /// <summary>Who may call.</summary>
    public Access Access { get; init; }

    /// <summary>Whether what the caller proves is looked at.</summary>
    public bool JudgesCallers => Access is not (Access.Everybody or Access.AnonymousReaders);

    /// <summary>Costs tokens of quotas, and says how they stand.</summary>
    public bool IsJudgedByQuotas { get; init; }

    /// <summary>What is asked in query, path and headers.</summary>
    public IReadOnlyList<Parameter> Parameters { get; init; } = [];

    /// <summary>What is sent.</summary>
    public Payload? Body { get; init; }

    /// <summary>The answers of those who are not refused.</summary>
    public required IReadOnlyList<Answer> Answers { get; init; }

    /// <summary>The refusals, without those that any call of its kind can get.</summary>
    public IReadOnlyList<Problem> Problems { get; init; } = [];

    /// <summary>How refusals are told.</summary>
    public ProblemForm ProblemForm { get; init; }
}

/// <summary>How a route tells its refusals.</summary>
internal enum ProblemForm
{
    /// <summary>As <c>application/problem+json</c>; or as a page, where the endpoint says so.</summary>
    Document,

    /// <summary>A line of text, and the code in the header <c>Heart-Problem</c>.</summary>
    Text,
}

/// <summary>A parameter.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Shape">Its bounds; what it means is in the shape too.</param>
/// <param name="Example">A value that works; null where there is none that always does.</param>
/// <param name="In">Where it stands.</param>
/// <param name="IsRequired">Whether the call is refused without it.</param>
internal sealed record Parameter(string Name, Shape Shape, string? Example = null, ParameterLocation In = ParameterLocation.Query, bool IsRequired = false)
{
    /// <summary>One that must be given.</summary>
    public static Parameter Required(string name, Shape shape, string example) => new(name, shape, example, IsRequired: true);

    /// <summary>A part of the path.</summary>
    public static Parameter OfPath(string name, Shape shape, string example) => new(name, shape, example, ParameterLocation.Path, true);
}

/// <summary>A body.</summary>
/// <param name="MediaType">Its media type.</param>
/// <param name="Shape">What is in it.</param>
/// <param name="Examples">By name, as they are sent.</param>
/// <param name="ByteLimit">The most it may have; null for an answer's.</param>
internal sealed record Payload(string MediaType, Shape Shape, IReadOnlyDictionary<string, string> Examples, int? ByteLimit = null)
{
    public const string JsonType = "application/json";
    public const string FormType = "application/x-www-form-urlencoded";
    public const string LinesType = "application/x-ndjson";

    /// <summary>Examples are JSON: of a form, an object of its fields; of lines, one of them.</summary>
    public bool HasFields => MediaType is JsonType or FormType or LinesType;

    /// <summary>JSON, with one example.</summary>
    public static Payload Json(Shape shape, string example) => new(JsonType, shape, new Dictionary<string, string> { ["example"] = example });

    /// <summary>Lines of JSON: <paramref name="shape"/> is each line's, and each example is a line.</summary>
    public static Payload Lines(Shape shape, params (string Name, string Json)[] examples) =>
        new(LinesType, shape, examples.ToDictionary(static example => example.Name, static example => example.Json));

    /// <summary>Anything else, with one example.</summary>
    public static Payload Of(string mediaType, Shape shape, string example) => new(mediaType, shape, new Dictionary<string, string> { ["example"] = example });

    /// <summary>JSON that is sent to us.</summary>
    public static Payload Request(int byteLimit, Shape shape, params (string Name, string Json)[] examples) =>
        new(JsonType, shape, examples.ToDictionary(static example => example.Name, static example => example.Json), byteLimit);
}

/// <summary>An answer that is no refusal.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Description">When it comes and what it means.</param>
/// <param name="Body">What it holds; null for nothing.</param>
/// <param name="Headers">Its headers, without those of every answer.</param>
internal sealed record Answer(int Status, string Description, Payload? Body = null, params Header[] Headers)
{
    /// <summary>What it holds instead, for who accepts that media type.</summary>
    public Payload? Instead { get; init; }
}

/// <summary>A header of an answer.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it means.</param>
/// <param name="Example">What it looks like.</param>
/// <param name="IsAlways">Whether it always comes.</param>
internal sealed record Header(string Name, string Description, string Example, bool IsAlways = false)
{
    public static readonly Header RequestId = new("X-Request-Id", "The request's id, to tell when asking what became of it.", "0af7651916cd43dd8448eb211c80319c", true);

    public static readonly Header EntityTag = new("ETag", "The version; send it back as `If-None-Match`.", "\"1\"");

    public static readonly Header Location = new("Location", "Where the new heart can be read.", "/api/v1/hearts?target_id=post_123&user_id=u456");

    public static readonly Header RetryAfter = new("Retry-After", "Seconds until the same call may succeed, at least 1. Without it no wait helps.", "1");

    public static readonly Header Challenge = new("WWW-Authenticate", "What would be believed (RFC 6750).", "Bearer");

    public static readonly Header Age = new("Age", "Seconds since this was true: silos cannot be asked now.", "42");

    public static readonly Header NewReader = new("Set-Cookie", "The token of a reader who is new here, or whose token was due; `HttpOnly`, over HTTPS by the name `__Host-heart_reader`.", "heart_reader=…; path=/; samesite=lax; httponly");

    public static readonly Header NewReaderToken = new("Heart-Reader", "The same for a reader who sent the header of this name instead of a cookie: the token to keep from now on.", "…");

    /// <summary>How the quotas stand.</summary>
    public static readonly Header[] Quotas =
    [
        new("RateLimit-Policy", "Each quota: at most `q` tokens, whole again after `w` seconds.", "\"user\";q=60;w=60"),
        new("RateLimit", "The tightest quota: `r` tokens are left, and it is whole again after `t` seconds.", "\"user\";r=59;t=1"),
    ];

    /// <summary>Opens an answer to pages of every origin.</summary>
    public static readonly Header[] OpenToEverybody =
    [
        new("Access-Control-Allow-Origin", "Pages of every origin may read the answer.", "*", true),
        new("Access-Control-Allow-Methods", "For preflights.", "GET,POST", true),
        new("Access-Control-Allow-Headers", "For preflights.", "Content-Type", true),
        new("Access-Control-Max-Age", "For preflights, in seconds.", "86400", true),
        new("Heart-Problem", "The code of the problem, where the answer stands for one.", "quota-exceeded"),
        NewReader,
    ];

    /// <summary>Lets pages of configured sites read an answer.</summary>
    public static readonly Header[] OpenToSites =
    [
        new("Access-Control-Allow-Origin", "The page's origin, if it is of a site in `HeartGrains:Sites`.", "https://blog.example.com"),
        new("Access-Control-Allow-Credentials", "To such a page: with its reader's cookie.", "true"),
        new("Access-Control-Expose-Headers", "To such a page: what it may read beside the body.", "ETag,Retry-After"),
        new("Vary", "What the answer depends on.", "Origin"),
    ];

    /// <summary>Of a refusal that is a page.</summary>
    public static readonly Header[] OfPages =
    [
        new("Content-Language", "The reader's language.", "en"), new("Vary", "What the answer depends on.", "Accept-Language"),
        new("Content-Security-Policy", "The page runs nothing.", "default-src 'none'"), new("X-Content-Type-Options", "It is a page and nothing else.", "nosniff"),
    ];

    /// <summary>What caches may do.</summary>
    public static Header CacheControl(string value) => new("Cache-Control", "What caches may do.", value);
}

/// <summary>Describes endpoints.</summary>
internal static class Describing
{
    /// <summary>Says what the document of the API says of an endpoint: one operation, or one for each of its methods. Callers are judged where it says that not everybody may call.</summary>
    public static TBuilder Describe<TBuilder>(this TBuilder endpoint, params Operation[] operations) where TBuilder : IEndpointConventionBuilder
    {
        ArgumentOutOfRangeException.ThrowIfZero(operations.Length);
        if (Array.Exists(operations, static operation => operation.JudgesCallers)) endpoint.WithMetadata(Identity.JudgesCallers.Instance);
        return endpoint.WithMetadata([.. operations]);
    }
}
