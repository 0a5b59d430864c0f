using HeartGrains.Gateway.Grpc;
using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// Refuses API calls over the local limits before anything of them is read. First the address, so that a flood from one spends nothing of what
/// the others share. Health, metrics and the operator's pages are never refused.
/// </summary>
internal sealed class LocalLimiter(RequestDelegate next, LocalLimits limits, AddressDoor door, TimeProvider clock)
{
    private const string JudgedPrefix = "/api/";

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
        if (!door.TryEnter(context, out var refusal)) return refusal;
        if (current.Gateway is null || current.Gateway.TryAcquire(out var waitTicks)) return next(context);
        LocalLimitMetrics.RefusedByGateway();
        return context.WriteProblemAsync(
            Problem.TemporaryReducedCapacity, "Nothing was done: the gateway has as many calls as it takes. Call again after Retry-After.", clock.SecondsOf(waitTicks));
    }
}

/// <summary>Wiring of the local limits.</summary>
internal static class LocalLimitHosting
{
    /// <summary>Adds the limits; their settings are read when <see cref="UseLocalLimits"/> asks for them.</summary>
    public static IServiceCollection AddLocalLimits(this IServiceCollection services) => services.AddSingleton<LocalLimits>().AddSingleton<AddressDoor>();

    /// <summary>Goes right after <c>UseProblems</c>, before anything that costs.</summary>
    public static IApplicationBuilder UseLocalLimits(this IApplicationBuilder app)
    {
        LocalLimitMetrics.Show();
        return app.UseMiddleware<LocalLimiter>(app.ApplicationServices.GetRequiredService<LocalLimits>());
    }
}
