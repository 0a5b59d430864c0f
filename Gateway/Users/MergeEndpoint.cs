using System.Text.Json;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Jobs;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Sites;
using HeartGrains.Jobs;
using HeartGrains.Users;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Users;

/// <summary>
/// <c>POST /api/v1/identity/merge</c>: an account takes over the hearts of the anonymous reader that its user was before signing in. The account is proved as for a heart, the reader by a token, never by its id.
/// </summary>
internal sealed class MergeEndpoint(Callers callers, Readers readers, JobDesk jobs, IOptions<ReaderOptions> options, TimeProvider time)
{
    private const string MergeKind = UserJobs.Merge;
    private const int TableCells = 1 << 16;

    private static readonly Rejection NoReader = new Rejection(Problem.InvalidFields, "Nothing was done: no reader is proved. Send the reader's cookie, the header Heart-Reader or reader_token.")
        .Add("reader_token", "must be a valid token of a reader where neither cookie nor header is");

    // As for new readers: a merge costs an account no quota.
    private readonly AddressLimits _limits = new(new BucketTerms(options.Value.IssueLimit, options.Value.IssuesPerHour, TimeSpan.FromHours(1), time), TableCells, time);

    public static void Map(IEndpointRouteBuilder routes)
    {
        if (!routes.ServiceProvider.GetRequiredService<Readers>().AreEnabled) return;
        var endpoint = ActivatorUtilities.CreateInstance<MergeEndpoint>(routes.ServiceProvider);
        routes.MapPost("/api/v1/identity/merge", (RequestDelegate)endpoint.MergeAsync)
            .WithMetadata(routes.ServiceProvider.GetRequiredService<GatewayMetrics>().TimesOf("merge")).WithDisplayName("merge").Describe(UserOperations.Merge).OpenToSites();
    }

    private async Task MergeAsync(HttpContext context)
    {
        var body = await JsonBody.ReadAsync(context.Request, HeartWrites.BodyByteLimit, HeartBody.ParseMerge);
        if (body.Rejection is { } rejection)
        {
            await context.WriteProblemAsync(rejection);
            return;
        }

        var account = callers.IdentifyAccount(context, body.Value.UserId, Problem.InvalidFields);
        if (account.UserId is not { } accountId)
        {
            await account.RefuseAsync(context);
            return;
        }

        // What a server sends is the server's word; what comes with a browser's call must come from a page that may make it.
        var isServer = account.Origin!.Actor.StartsWith(ServerKeys.ActorPrefix, StringComparison.Ordinal);
        if (!isServer && readers.IsForeign(context))
        {
            await Caller.OfForeignPage.RefuseAsync(context);
            return;
        }

        if (!isServer && !_limits.TryAcquire(context.Connection.RemoteIpAddress, out var waitTicks))
        {
            await context.WriteProblemAsync(
                Problem.QuotaExceeded, "Nothing was done: this address has merged as many readers as it may. Call again after Retry-After.",
                (int)Math.Clamp(Math.Ceiling((double)waitTicks / time.TimestampFrequency), 1, int.MaxValue));
            return;
        }

        var reader = body.Value.ReaderToken is { } token ? readers.Find(context, token, body.Value.ReaderOrigin) : isServer ? null : readers.Find(context);
        if (reader is null)
        {
            await context.WriteProblemAsync(NoReader);
            return;
        }

        var arguments = new System.Text.Json.Nodes.JsonObject { ["reader"] = reader, ["account"] = accountId }.ToJsonString();
        if (await jobs.RunAsync(context, new JobOrder(MergeKind, reader + "\n" + accountId, arguments, account.Origin.Actor)) is not { } job) return;
        if (job.State == JobState.Done) readers.Forget(context);
        await JobDesk.AnswerAsync(context, job, Write(accountId, job));
    }

    private static HeartJson Write(string account, JobView job)
    {
        using var progress = JsonDocument.Parse(job.Progress);
        var json = HeartJson.Start()
            .Raw("{\"receipt\":"u8).Text(job.Id)
            .Raw(",\"state\":"u8).Text(JobDesk.NameOf(job.State))
            .Raw(",\"user_id\":"u8).Text(account)
            .Raw(",\"moved\":"u8).Number(Figure("moved"))
            .Raw(",\"already\":"u8).Number(Figure("already"))
            .Raw(",\"targets\":"u8).Number(Figure("targets"));
        return JobDesk.WriteTimes(json, job).Raw("}"u8);

        long Figure(string name) => progress.RootElement.TryGetProperty(name, out var figure) ? figure.GetInt64() : 0;
    }
}
