using HeartGrains.Gateway.Grpc;
using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// Refuses API calls over the local limits before anything of them is read. First the address, so that a flood from one spends nothing of what
/// the others share. Health, metrics and the operator's pages are never refused.
/// </summary>
internal sealed class LocalLimiter(RequestDelegate next, LocalLimits limits, TimeProvider clock)
{
    private const string JudgedPrefix = "/api/";

    // No policy of the silos' should have this name: a client could not tell the two apart.
    private const string AddressPolicy = "local-address";

    public Task InvokeAsync(HttpContext context)
    {
        // Routes are matched without regard to case, so this is too.
        var current = limits.Current;
        return current is not null && (context.Request.Path.Value?.StartsWith(JudgedPrefix, StringComparison.OrdinalIgnoreCase) is true || GrpcRoutes.IsHearts(context.Request.Path))
            ? JudgeAsync(context, current)
            : next(context);
    }

    private Task JudgeAsync(HttpContext context, LocalLimits.Buckets current)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<NeverRefused>() is not null) return next(context);
        if (current.Addresses is { } addresses && !addresses.TryAcquire(context.Connection.RemoteIpAddress, out var waitTicks))
        {
            if (!current.IsAddressShadow)
            {
                LocalLimitMetrics.RefusedByAddress();
                return RefuseAddressAsync(context, addresses.Terms, waitTicks);
            }

            LocalLimitMetrics.WouldBeRefusedByAddress();
        }

        if (current.Gateway is null || current.Gateway.TryAcquire(out waitTicks)) return next(context);
        LocalLimitMetrics.RefusedByGateway();
        return context.WriteProblemAsync(
            Problem.TemporaryReducedCapacity, "Nothing was done: the gateway has as many calls as it takes. Call again after Retry-After.", Seconds(waitTicks));
    }

    private Task RefuseAddressAsync(HttpContext context, BucketTerms terms, long waitTicks)
    {
        var seconds = Seconds(waitTicks);
        var untilWhole = Seconds(waitTicks + (long)((terms.TokenLimit - 1) / terms.TokensPerSecond * clock.TimestampFrequency));
        var window = (long)Math.Max(1, Math.Ceiling(terms.TokenLimit / terms.TokensPerSecond));
        var headers = context.Response.Headers;
        headers["RateLimit-Policy"] = $"\"{AddressPolicy}\";q={terms.TokenLimit};w={window}";
        headers["RateLimit"] = $"\"{AddressPolicy}\";r=0;t={untilWhole}";
        return context.WriteProblemAsync(
            Problem.QuotaExceeded, $"Nothing was done: the calls from this address are spent. It may call again in {seconds} s.", seconds, [AddressPolicy]);
    }

    /// <summary>Whole seconds, rounded up: never early.</summary>
    private int Seconds(long waitTicks)
    {
        var seconds = waitTicks / clock.TimestampFrequency + (waitTicks % clock.TimestampFrequency > 0 ? 1 : 0);
        return (int)Math.Clamp(seconds, 1, int.MaxValue);
    }
}

/// <summary>Wiring of the local limits.</summary>
internal static class LocalLimitHosting
{
    /// <summary>Adds the limits; their settings are read when <see cref="UseLocalLimits"/> asks for them.</summary>
    public static IServiceCollection AddLocalLimits(this IServiceCollection services) => services.AddSingleton<LocalLimits>();

    /// <summary>Goes right after <c>UseProblems</c>, before anything that costs.</summary>
    public static IApplicationBuilder UseLocalLimits(this IApplicationBuilder app)
    {
        LocalLimitMetrics.Show();
        return app.UseMiddleware<LocalLimiter>(app.ApplicationServices.GetRequiredService<LocalLimits>());
    }
}
