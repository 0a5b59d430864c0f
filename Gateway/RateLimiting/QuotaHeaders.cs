namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// Tells clients how they stand: <c>RateLimit-Policy</c> and <c>RateLimit</c>, lists of structured fields (draft-ietf-httpapi-ratelimit-headers),
/// on every answer that quotas judged.
/// </summary>
internal static class QuotaHeaders
{
    /// <summary><c>q</c> tokens at most, whole after <c>w</c> seconds; of the tightest policy <c>r</c> tokens left, whole after <c>t</c> seconds.</summary>
    public static void Write(HttpContext context, in QuotaJudgement judgement)
    {
        // Who has gone gets no answer; one whose deadline has passed has had it.
        if (judgement.Tightest is not { } tightest || judgement.Status == QuotaStatus.Aborted) return;
        var headers = context.Response.Headers;
        headers["RateLimit-Policy"] = judgement.Set.HeaderOf(judgement.Keys, judgement.IsHeart);
        headers["RateLimit"] = tightest.Remaining(judgement.Remaining, Seconds(judgement.ResetMillis));
    }

    /// <summary>Whole seconds, rounded up.</summary>
    public static long Seconds(long millis) => millis / 1000 + (millis % 1000 > 0 ? 1 : 0);
}
