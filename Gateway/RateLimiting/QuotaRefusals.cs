using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>What a caller is told whom quotas did not let pass.</summary>
internal static class QuotaRefusals
{
    private const int ClientClosedRequest = 499;

    public static Task WriteAsync(HttpContext context, in QuotaJudgement judgement)
    {
        switch (judgement.Status)
        {
            case QuotaStatus.Aborted:
                context.Response.StatusCode = ClientClosedRequest;
                return Task.CompletedTask;
            case QuotaStatus.Refused:
                var violated = judgement.Violated;
                var names = judgement.Set.Policies.Where(policy => (violated & (1u << policy.Index)) != 0).Select(policy => policy.Policy.Name).ToArray();
                return QuotaExceededAsync(context, names, judgement.RetryAfterMillis);
            default:
                return UnavailableAsync(context);
        }
    }

    /// <summary>Not a 429: nobody knows whether the user has tokens.</summary>
    public static Task UnavailableAsync(HttpContext context) =>
        context.WriteProblemAsync(Problem.QuotaUnavailable, "Nothing was stored. Call again after Retry-After.", 1);

    private static Task QuotaExceededAsync(HttpContext context, string[] policies, long retryAfterMillis)
    {
        var spent = string.Join(", ", policies);
        if (retryAfterMillis == long.MaxValue)
            return context.WriteProblemAsync(Problem.QuotaExceeded, $"The call costs more than the quota {spent} ever holds.", violatedPolicies: policies);

        var seconds = (int)Math.Clamp(QuotaHeaders.Seconds(retryAfterMillis), 1, int.MaxValue);
        return context.WriteProblemAsync(Problem.QuotaExceeded, $"The quota {spent} is spent; it has room for the same call in {seconds} s.", seconds, policies);
    }
}
