using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Prometheus;

namespace HeartGrains.Gateway.Diagnostics;

/// <summary>Gives every request an id, times it, and logs it when it was refused or failed.</summary>
internal sealed class RequestDiagnosticsMiddleware(RequestDelegate next, GatewayMetrics metrics, RequestLog log, AnswerStatus? statusOf = null)
{
    private readonly RouteTimes _other = metrics.TimesOf("other");

    public Task InvokeAsync(HttpContext context)
    {
        var start = Stopwatch.GetTimestamp();
        RequestId.Accept(context);
        var task = next(context);
        if (!task.IsCompletedSuccessfully) return AwaitAsync(context, task, start);
        Observe(context, start);
        return task;
    }

    private async Task AwaitAsync(HttpContext context, Task task, long start)
    {
        await task;
        Observe(context, start);
    }

    private void Observe(HttpContext context, long start)
    {
        // What was upgraded has lasted and not been answered slowly.
        var status = statusOf is null ? context.Response.StatusCode : statusOf(context);
        if (status == StatusCodes.Status101SwitchingProtocols) return;
        var time = Stopwatch.GetElapsedTime(start);
        (context.GetEndpoint()?.Metadata.GetMetadata<RouteTimes>() ?? _other).Observe(status, time);
        if (status >= StatusCodes.Status400BadRequest) log.Refused(context, status, time);
    }
}

/// <summary>How a request was answered, as a status of HTTP, where the response's own does not say.</summary>
internal delegate int AnswerStatus(HttpContext context);

/// <summary>Request times of one route; lives in the endpoint's metadata so that a request looks nothing up by name.</summary>
internal sealed class RouteTimes(Histogram histogram, string route)
{
    private readonly IHistogram?[] _byStatus = new IHistogram?[600];

    public void Observe(int status, TimeSpan time)
    {
        if ((uint)status >= (uint)_byStatus.Length) return;
        var times = _byStatus[status] ??= histogram.WithLabels(route, status.ToString());
        times.Observe(time.TotalSeconds);
    }
}

/// <summary>Wires request ids, times and log lines into a host.</summary>
public static class RequestDiagnosticsHosting
{
    /// <summary>What <see cref="UseRequestDiagnostics"/> and <c>UseProblems</c> need.</summary>
    public static IServiceCollection AddRequestDiagnostics(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<GatewayMetrics>();
        services.TryAddSingleton<RequestLog>();
        return services;
    }

    /// <summary>Every request gets an id, is timed by route and status, and logged if refused. Goes before <c>UseProblems</c>, which swallows exceptions.</summary>
    /// <param name="app">The pipeline.</param>
    /// <param name="statusOf">For an interface whose answers tell their status elsewhere than in the response's.</param>
    internal static IApplicationBuilder UseRequestDiagnostics(this IApplicationBuilder app, AnswerStatus? statusOf = null) =>
        statusOf is null ? app.UseMiddleware<RequestDiagnosticsMiddleware>() : app.UseMiddleware<RequestDiagnosticsMiddleware>(statusOf);
}
