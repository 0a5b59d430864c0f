using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orleans.Runtime;

namespace HeartGrains.Hosting;

/// <summary>What the Orleans Dashboard lacks.</summary>
public static class DashboardRoutes
{
    /// <summary>Its routes about a silo answer 404 where the path names none; by itself it fails.</summary>
    public static TBuilder WithReadableSilos<TBuilder>(this TBuilder dashboard) where TBuilder : IEndpointConventionBuilder
    {
        dashboard.Add(static endpoint =>
        {
            if (endpoint is not RouteEndpointBuilder { RequestDelegate: { } next, RoutePattern: var pattern } route) return;
            var parameter = pattern.RawText?.Contains("/HistoricalStats/", StringComparison.Ordinal) == true ? "path" : "address";
            if (pattern.GetParameter(parameter) is null) return;
            route.RequestDelegate = context =>
            {
                if (IsSilo(context.Request.RouteValues[parameter] as string)) return next(context);
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            };
        });
        return dashboard;
    }

    private static bool IsSilo(string? text)
    {
        try
        {
            return text is not null && SiloAddress.FromParsableString(text) is not null;
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or OverflowException or IndexOutOfRangeException)
        {
            return false;
        }
    }
}
