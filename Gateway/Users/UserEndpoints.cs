using System.Text.Json;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Jobs;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Gateway.Sites;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Users;

namespace HeartGrains.Gateway.Users;

/// <summary><c>DELETE /api/v1/users</c> forgets a user; <c>GET /api/v1/users/export</c> tells all that is held about one.</summary>
internal sealed class UserEndpoints(UserAuthority authority, UserLimits limits, JobDesk jobs, GrainCalls calls)
{
    private const string ErasureKind = UserJobs.Erase;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var endpoints = ActivatorUtilities.CreateInstance<UserEndpoints>(routes.ServiceProvider);
        var metrics = routes.ServiceProvider.GetRequiredService<GatewayMetrics>();
        routes.MapMethods("/api/v1/users", [HttpMethods.Delete], endpoints.EraseAsync)
            .WithMetadata(metrics.TimesOf("erase")).WithDisplayName("erase").Describe(UserOperations.Erase).OpenToSites();
        routes.MapMethods("/api/v1/users/export", [HttpMethods.Get], endpoints.ExportAsync)
            .WithMetadata(metrics.TimesOf("export")).WithDisplayName("export").Describe(UserOperations.Export).OpenToSites();
    }

    private async Task EraseAsync(HttpContext context)
    {
        if (await FindUserAsync(context, isChange: true) is not { UserId: { } user, Origin: { } origin } caller) return;
        var arguments = new System.Text.Json.Nodes.JsonObject { ["user_id"] = user }.ToJsonString();

        // Without the network, which may be the user's own: what says that they are forgotten stays.
        if (await jobs.RunAsync(context, new JobOrder(ErasureKind, user, arguments, origin.Actor)) is not { } job) return;
        var (hearts, rows) = FiguresOf(job);
        var json = HeartJson.Start()
            .Raw("{\"receipt\":"u8).Text(job.Id)
            .Raw(",\"state\":"u8).Text(JobDesk.NameOf(job.State))
            .Raw(",\"hearts\":"u8).Number(hearts)
            .Raw(",\"rows\":"u8).Number(rows);
        await JobDesk.AnswerAsync(context, job, JobDesk.WriteTimes(json, job).Raw("}"u8), isOperator: caller.IsServer);
    }

    /// <summary>Lines of JSON. The last is <c>{"type":"end",…}</c>: without it the answer is not whole.</summary>
    private async Task ExportAsync(HttpContext context)
    {
        if (await FindUserAsync(context, isChange: false) is not { UserId: { } user }) return;
        if (await ReadAsync(context, user, null) is not { } page) return;

        // How long the rest takes is its reader's.
        using var wait = LaneWait.Begin(context);
        await StartAsync(context, user);
        var (hearts, events) = (0L, 0L);
        while (true)
        {
            await context.Response.Body.WriteAsync(page.Lines, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            (hearts, events) = (hearts + page.Hearts, events + page.Events);
            if (page.Next is not { } after) break;
            page = await ReadAsync(context, user, after);
            if (page is null) return;
        }

        var end = HeartJson.Start().Raw("{\"type\":\"end\",\"hearts\":"u8).Number(hearts).Raw(",\"events\":"u8).Number(events).Raw("}\n"u8).ToArray();
        await context.Response.Body.WriteAsync(end, context.RequestAborted);
    }

    /// <summary>A page; null when it cannot be had: the refusal is written then, or, when the answer has begun, the connection is cut.</summary>
    private async Task<UserPage?> ReadAsync(HttpContext context, string user, string? after)
    {
        var read = new UserExportRead(user, after) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(read);
        if (status == CallStatus.Answered && read.Outcome == HeartOutcome.Committed) return read.Value;
        if (context.Response.HasStarted) context.Abort();
        else await HeartRefusals.ReadFailedAsync(context, status, status == CallStatus.Answered ? read.Outcome : default, read.RetryAfterSeconds);
        return null;
    }

    private static Task StartAsync(HttpContext context, string user)
    {
        context.Response.ContentType = "application/x-ndjson";
        context.Response.Headers.CacheControl = "no-store";
        var line = HeartJson.Start().Raw("{\"type\":\"user\",\"user_id\":"u8).Text(user).Raw("}\n"u8).ToArray();
        return context.Response.Body.WriteAsync(line, context.RequestAborted).AsTask();
    }

    /// <summary>Whom the call is about; null when it is refused, and the refusal is written.</summary>
    private async Task<Caller?> FindUserAsync(HttpContext context, bool isChange)
    {
        var query = HeartQuery.Parse(context.Request.QueryString.Value ?? "", QueryParameters.None, QueryParameters.UserId);
        if (query.Rejection is { } rejection)
        {
            await context.WriteProblemAsync(rejection);
            return null;
        }

        var caller = authority.Judge(context, query.Value.UserId, isChange);
        if (caller.UserId is not null) return await limits.AdmitAsync(context, caller) ? caller : null;
        await caller.RefuseAsync(context);
        return null;
    }

    private static (long Hearts, long Rows) FiguresOf(JobView job)
    {
        using var progress = JsonDocument.Parse(job.Progress);
        return (Figure("hearts"), Figure("rows"));

        long Figure(string name) => progress.RootElement.TryGetProperty(name, out var figure) ? figure.GetInt64() : 0;
    }
}
