namespace HeartGrains.Gateway.Jobs;

/// <summary>Wires long operations into a gateway.</summary>
internal static class JobHosting
{
    public static IServiceCollection AddJobDesk(this IServiceCollection services) => services.AddSingleton<JobDesk>();

    public static void MapJobs(this IEndpointRouteBuilder routes) => JobEndpoints.Map(routes);
}
