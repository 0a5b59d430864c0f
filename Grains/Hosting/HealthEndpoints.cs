using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Prometheus;

namespace HeartGrains.Hosting;

/// <summary>Health and metrics, the same on both programs.</summary>
public static class HealthEndpoints
{
    /// <summary>The tag of checks that decide whether this process can serve.</summary>
    public const string Ready = "ready";

    /// <summary>
    /// <c>/health/live</c> looks at this process only; <c>/health/ready</c>, and <c>/health</c>, ask every check tagged
    /// <see cref="Ready"/>; <c>/metrics</c> is for Prometheus. Health is answered on every port, metrics on the operators'.
    /// </summary>
    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        routes.MapHealthChecks("/health/live", Options(_ => false)).On(Ports.All);
        routes.MapHealthChecks("/health/ready", Options(check => check.Tags.Contains(Ready))).On(Ports.All);
        routes.MapHealthChecks("/health", Options(check => check.Tags.Contains(Ready))).On(Ports.All);
        routes.MapMetrics("/metrics").On(Ports.Operators);
    }

    private static HealthCheckOptions Options(Func<HealthCheckRegistration, bool> predicate) =>
        new() { Predicate = predicate, ResponseWriter = WriteAsync };

    private static Task WriteAsync(HttpContext context, HealthReport report) => context.Response.WriteAsJsonAsync(new
    {
        status = report.Status.ToString().ToLowerInvariant(),
        checks = report.Entries.ToDictionary(entry => entry.Key, entry => entry.Value.Description ?? entry.Value.Status.ToString().ToLowerInvariant()),
    });
}
