using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.RateLimiting;

namespace HeartGrains.Gateway.Identity;

/// <summary>An endpoint that asks who calls. Of other calls nobody looks at what they prove.</summary>
internal sealed class JudgesCallers
{
    public static readonly JudgesCallers Instance = new();
}

/// <summary>
/// Finds out what credentials prove before a call reaches its route, and goes after what bounds the calls of one address: what is known costs a hash, what is not can cost a signature. A call that went past the
/// limits, because its endpoint is never refused, takes one of its address' calls before that.
/// </summary>
internal sealed class IdentityMiddleware(RequestDelegate next, Credentials credentials, AddressDoor door)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Headers.Authorization.Count == 0) return next(context);
        if (context.GetEndpoint()?.Metadata is not { } metadata || metadata.GetMetadata<JudgesCallers>() is null || credentials.TryRecall(context)) return next(context);
        if (metadata.GetMetadata<NeverRefused>() is not null && !door.TryEnter(context, out var refusal)) return refusal;
        var verifying = credentials.VerifyAsync(context);
        return verifying.IsCompletedSuccessfully ? next(context) : AwaitAsync(verifying, context);
    }

    private async Task AwaitAsync(ValueTask verifying, HttpContext context)
    {
        await verifying;
        await next(context);
    }
}
