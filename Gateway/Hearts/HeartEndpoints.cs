using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Sites;

namespace HeartGrains.Gateway.Hearts;

/// <summary>The routes of hearts under <c>/api/v1</c>. Identifiers travel in bodies and query strings, never in paths.</summary>
public static class HeartEndpoints
{
    private static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];
    private static readonly string[] Posting = [HttpMethods.Post];
    private static readonly string[] Deleting = [HttpMethods.Delete];

    /// <summary>Maps all routes of hearts. Their services are looked up here, once.</summary>
    public static IEndpointRouteBuilder MapHearts(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var writes = ActivatorUtilities.CreateInstance<HeartWrites>(services);
        var reads = ActivatorUtilities.CreateInstance<HeartReads>(services);
        var lists = services.GetRequiredService<HeartLists>();
        var metrics = services.GetRequiredService<GatewayMetrics>();

        Map("/api/v1/hearts", Posting, writes.GiveAsync, "give", HeartOperations.Give);
        Map("/api/v1/hearts", Deleting, writes.WithdrawAsync, "withdraw", HeartOperations.Withdraw);
        Map("/api/v1/hearts", Reading, reads.ReadAsync, "read", HeartOperations.Read);
        Map("/api/v1/hearts/query", Posting, reads.ReadBatchAsync, "query", HeartOperations.Query);
        Map("/api/v1/hearts/users", Reading, lists.UsersAsync, "users", HeartOperations.Users);
        Map("/api/v1/hearts/top", Reading, lists.TopAsync, "top", HeartOperations.Top);
        return routes;

        void Map(string pattern, string[] methods, RequestDelegate handler, string name, Operation operation) =>
            routes.MapMethods(pattern, methods, handler).WithMetadata(metrics.TimesOf(name)).WithDisplayName(name).Describe(operation).OpenToSites();
    }
}
