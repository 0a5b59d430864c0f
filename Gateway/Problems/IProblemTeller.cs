namespace HeartGrains.Gateway.Problems;

/// <summary>In a request's features: tells its problems otherwise than as a document, because it came by another interface than HTTP's own.</summary>
internal interface IProblemTeller
{
    /// <summary>Tells a problem. Seconds in the answer's <c>Retry-After</c> are part of it, and <paramref name="until"/>, if it is known until when it lasts.</summary>
    Task TellAsync(
        HttpContext context, Problem problem, string detail, IReadOnlyList<(string Field, string Message)> errors, IReadOnlyList<string> violatedPolicies, string? until);
}
