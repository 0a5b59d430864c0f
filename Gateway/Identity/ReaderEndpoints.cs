using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Sites;

namespace HeartGrains.Gateway.Identity;

/// <summary>
/// <c>/api/v1/reader</c>: how the element finds out, before a first heart, whether this browser keeps a cookie for us, and gets a token to keep by itself where it does not.
/// </summary>
internal static class ReaderEndpoints
{
    private const string ElementStore = "?store=element";

    public static IEndpointRouteBuilder MapReaders(this IEndpointRouteBuilder routes)
    {
        var readers = routes.ServiceProvider.GetRequiredService<Readers>();
        var metrics = routes.ServiceProvider.GetRequiredService<GatewayMetrics>();
        if (!readers.AreEnabled) return routes;
        routes.MapMethods("/api/v1/reader", [HttpMethods.Get, HttpMethods.Head], context => TellAsync(context, readers))
            .WithMetadata(metrics.TimesOf("reader")).WithDisplayName("reader").Describe(ReaderOperations.Tell).OpenToSites();
        routes.MapPost("/api/v1/reader", (RequestDelegate)(context => IssueAsync(context, readers)))
            .WithMetadata(metrics.TimesOf("reader_token")).WithDisplayName("reader_token").Describe(ReaderOperations.Issue).OpenToSites();
        return routes;
    }

    private static Task TellAsync(HttpContext context, Readers readers) =>
        Parse(context.Request, null) is { } rejection
            ? context.WriteProblemAsync(rejection)
            : Start(context).Raw("{\"known\":"u8).Flag(readers.Find(context) is not null).Raw("}"u8).SendAsync(context, StatusCodes.Status200OK);

    private static Task IssueAsync(HttpContext context, Readers readers)
    {
        if (Parse(context.Request, ElementStore) is { } rejection) return context.WriteProblemAsync(rejection);
        if (context.Request.QueryString.HasValue)
        {
            var (token, refused) = readers.IssueToElement(context);
            return token is null
                ? refused.RefuseAsync(context)
                : Start(context).Raw("{\"stored\":\"element\",\"token\":"u8).Text(token).Raw("}"u8).SendAsync(context, StatusCodes.Status200OK);
        }

        var reader = readers.FindOrIssue(context);
        return reader.UserId is null
            ? reader.RefuseAsync(context)
            : Start(context).Raw("{\"stored\":\"cookie\"}"u8).SendAsync(context, StatusCodes.Status200OK);
    }

    private static HeartJson Start(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        return HeartJson.Start();
    }

    private static Rejection? Parse(HttpRequest request, string? allowed) =>
        !request.QueryString.HasValue || request.QueryString.Value == allowed
            ? null
            : new Rejection(Problem.InvalidQuery, "See errors for each parameter.").Add("query", allowed is null ? "must be empty" : $"must be empty or {allowed}");
}
