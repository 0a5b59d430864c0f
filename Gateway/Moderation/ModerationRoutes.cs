using HeartGrains.Gateway.Explain;

namespace HeartGrains.Gateway.Moderation;

/// <summary>Wiring of operators' orders and questions.</summary>
internal static class ModerationRoutes
{
    /// <summary>Maps the routes.</summary>
    public static IEndpointRouteBuilder MapModeration(this IEndpointRouteBuilder routes)
    {
        ModerationEndpoints.Map(routes);
        ExplainEndpoint.Map(routes);
        return routes;
    }
}
