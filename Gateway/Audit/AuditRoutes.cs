namespace HeartGrains.Gateway.Audit;

/// <summary>The routes of the log.</summary>
internal static class AuditRoutes
{
    public static void MapAudit(this IEndpointRouteBuilder routes)
    {
        EventEndpoints.Map(routes);
        VerifyEndpoints.Map(routes);
    }
}
