using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;

namespace HeartGrains.Hosting;

/// <summary>What the Orleans Dashboard lacks.</summary>
public static class DashboardRoutes
{
    /// <summary>Its routes about a silo answer 404 where the path names none that runs; by itself it fails.</summary>
    public static TBuilder WithReadableSilos<TBuilder>(this TBuilder dashboard) where TBuilder : IEndpointConventionBuilder
    {
        dashboard.Add(static endpoint =>
        {
            if (endpoint is not RouteEndpointBuilder { RequestDelegate: { } next, RoutePattern: var pattern } route) return;
            var parameter = pattern.RawText?.Contains("/HistoricalStats/", StringComparison.Ordinal) == true ? "path" : "address";
            if (pattern.GetParameter(parameter) is null) return;
            route.RequestDelegate = async context =>
            {
                if (Read(context.Request.RouteValues[parameter] as string) is { } silo && await IsRunningAsync(context, silo)) await next(context);
                else context.Response.StatusCode = StatusCodes.Status404NotFound;
            };
        });
        return dashboard;
    }

    /// <summary>The dashboard takes a silo that is not there for an outage of all.</summary>
    private static async Task<bool> IsRunningAsync(HttpContext context, SiloAddress silo) =>
        (await context.RequestServices.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true)).ContainsKey(silo);

    private static SiloAddress? Read(string? text)
    {
        try
        {
            return text is null ? null : SiloAddress.FromParsableString(text);
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or OverflowException or IndexOutOfRangeException)
        {
            return null;
        }
    }
}
