using HeartGrains.Gateway.Problems;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Identity;

/// <summary>The user who calls, or why the call is nobody's.</summary>
/// <param name="UserId">The user; null when refused.</param>
/// <param name="Origin">How that was proved, and from where, for the log.</param>
/// <param name="Refusal">Why; null when not refused.</param>
/// <param name="RetryAfterSeconds">When to come back, if that helps.</param>
internal readonly record struct Caller(string? UserId, HeartOrigin? Origin = null, Rejection? Refusal = null, int? RetryAfterSeconds = null)
{
    private static readonly Rejection ForeignPage = new(
        Problem.OriginNotAllowed, "Nothing was done: a reader's call that changes something must come, with its Origin, from a page of this service or of a site in HeartGrains:Sites.");

    private static readonly Rejection TooManyReaders = new(
        Problem.QuotaExceeded, "Nothing was done: this address has become as many readers as it may. Call again after Retry-After.");

    /// <summary>A reader's cookie, or a page, that may not change anything.</summary>
    public static Caller OfForeignPage => new(null, Refusal: ForeignPage);

    /// <summary>An address with too many new readers.</summary>
    public static Caller OfCrowd(int retryAfterSeconds) => new(null, Refusal: TooManyReaders, RetryAfterSeconds: retryAfterSeconds);

    /// <summary>No user, where readers are switched off.</summary>
    public static Caller Nobody(Problem problem) => new(null, Refusal: new Rejection(problem, "Say who loves the target.").Add("user_id", "is missing"));

    /// <summary>Somebody who says to be a reader.</summary>
    public static Caller Pretender(Problem problem) => new(
        null, Refusal: new Rejection(problem, "Readers are known by their tokens.").Add("user_id", "must not begin with reader:, which stands for anonymous readers"));

    /// <summary>Answers with the refusal.</summary>
    public Task RefuseAsync(HttpContext context)
    {
        if (RetryAfterSeconds is { } seconds) context.Response.Headers.RetryAfter = seconds.ToString();
        return context.WriteProblemAsync(Refusal!);
    }
}
