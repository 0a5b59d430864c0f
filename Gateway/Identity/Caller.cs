using HeartGrains.Gateway.Problems;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Identity;

/// <summary>The user who calls, or why the call is nobody's.</summary>
/// <param name="UserId">The user; null when refused, and of a server that speaks for no user.</param>
/// <param name="Origin">How that was proved, and from where, for the log.</param>
/// <param name="Refusal">Why; null when not refused.</param>
/// <param name="RetryAfterSeconds">When to come back, if that helps.</param>
/// <param name="Challenge">The header <c>WWW-Authenticate</c> of the refusal, if any.</param>
internal readonly record struct Caller(string? UserId, HeartOrigin? Origin = null, Rejection? Refusal = null, int? RetryAfterSeconds = null, string? Challenge = null)
{
    private static readonly Rejection ForeignPage = new(
        Problem.OriginNotAllowed, "Nothing was done: a call that changes something with a reader's token or an unproved user_id must come, with its Origin, from a page of this service or of a site in HeartGrains:Sites.");

    private static readonly Rejection TooManyReaders = new(
        Problem.QuotaExceeded, "Nothing was done: this address has become as many readers as it may. Call again after Retry-After.");

    private static readonly Rejection CredentialsRequired = new(
        Problem.CredentialsRequired, "Nothing was done: say who you are with Authorization: Bearer and a signed token of the user, or a server key with the scope for it.");

    private static readonly Rejection AnotherUser = new(
        Problem.UserMismatch, "Nothing was done: the token is of another user than the call. Leave user_id out, or send the user's own token.");

    private static readonly Rejection NoKeysYet = new(
        Problem.Unavailable, "Nothing was done: the key that the token names cannot be had now, so it can be neither believed nor refused. Call again after Retry-After.");

    /// <summary>Whether a server key was proved.</summary>
    public bool IsServer => Origin?.Actor.StartsWith(ServerKeys.ActorPrefix, StringComparison.Ordinal) is true;

    /// <summary>A reader's cookie, or a page, that may not change anything.</summary>
    public static Caller OfForeignPage => new(null, Refusal: ForeignPage);

    /// <summary>Somebody who has to prove who they are, and brings nothing.</summary>
    public static Caller Unproven => new(null, Refusal: CredentialsRequired, Challenge: "Bearer");

    /// <summary>Somebody whose token cannot be looked at yet.</summary>
    public static Caller Undecided => new(null, Refusal: NoKeysYet, RetryAfterSeconds: 1);

    /// <summary>A user who names another.</summary>
    public static Caller OfAnother => new(null, Refusal: AnotherUser);

    /// <summary>An address with too many new readers.</summary>
    public static Caller OfCrowd(int retryAfterSeconds) => new(null, Refusal: TooManyReaders, RetryAfterSeconds: retryAfterSeconds);

    /// <summary>No user, where one is needed.</summary>
    public static Caller Nobody(Problem problem) => new(null, Refusal: new Rejection(problem, "Say whose it is.").Add("user_id", "is missing"));

    /// <summary>Somebody who says to be a reader, or somebody who is forgotten.</summary>
    public static Caller Pretender(Problem problem) => new(
        null, Refusal: new Rejection(problem, "Readers are known by their tokens, and nobody is forgotten who calls.")
            .Add("user_id", "must not begin with reader:, which stands for anonymous readers, or erased:, which stands for who is forgotten"));

    /// <summary>Somebody whose credentials are not believed.</summary>
    public static Caller Disbelieved(string fault) => new(
        null, Refusal: new Rejection(Problem.InvalidToken, $"Nothing was done: the token or key is not believed: {fault}."),
        Challenge: $"Bearer error=\"invalid_token\", error_description=\"{fault}\"");

    /// <summary>Somebody whose credentials are believed, and do not reach so far.</summary>
    public static Caller Without(AuthScope scope) => new(
        null, Refusal: new Rejection(Problem.ScopeMissing, $"Nothing was done: this takes a server key with the scope {scope.NameOf()}."),
        Challenge: $"Bearer error=\"insufficient_scope\", scope=\"{scope.NameOf()}\"");

    /// <summary>Answers with the refusal.</summary>
    public Task RefuseAsync(HttpContext context)
    {
        if (RetryAfterSeconds is { } seconds) context.Response.Headers.RetryAfter = seconds.ToString();
        if (Challenge is not null) context.Response.Headers.WWWAuthenticate = Challenge;
        return context.WriteProblemAsync(Refusal!);
    }
}
