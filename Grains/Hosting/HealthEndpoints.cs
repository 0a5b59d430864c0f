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
    /// <param name="routes">The program's routes.</param>
    /// <param name="also">Is given each path and its endpoint, to say more of it.</param>
    public static void MapOperations(this IEndpointRouteBuilder routes, Action<string, IEndpointConventionBuilder>? also = null)
    {
        Map("/health/live", path => routes.MapHealthChecks(path, Options(_ => false)).On(Ports.All));
        Map("/health/ready", path => routes.MapHealthChecks(path, Options(check => check.Tags.Contains(Ready))).On(Ports.All));
        Map("/health", path => routes.MapHealthChecks(path, Options(check => check.Tags.Contains(Ready))).On(Ports.All));
        Map("/metrics", path => routes.MapMetrics(path).On(Ports.Operators));

        void Map(string path, Func<string, IEndpointConventionBuilder> map)
        {
            var endpoint = map(path);
            also?.Invoke(path, endpoint);
        }
    }

    private static HealthCheckOptions Options(Func<HealthCheckRegistration, bool> predicate) =>
        new() { Predicate = predicate, ResponseWriter = WriteAsync };

    private static Task WriteAsync(HttpContext context, HealthReport report) => context.Response.WriteAsJsonAsync(new
    {
        status = report.Status.ToString().ToLowerInvariant(),
        checks = report.Entries.ToDictionary(entry => entry.Key, entry => entry.Value.Description ?? entry.Value.Status.ToString().ToLowerInvariant()),
    });
}
