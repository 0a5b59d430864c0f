using System.Text.Json;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Jobs;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Sites;
using HeartGrains.Jobs;
using HeartGrains.Users;

namespace HeartGrains.Gateway.Users;

/// <summary>
/// <c>POST /api/v1/identity/merge</c>: an account takes over the hearts of the anonymous reader that its user was before signing in. The account is proved as for a heart, the reader by a token, never by its id.
/// </summary>
internal sealed class MergeEndpoint(Callers callers, Readers readers, JobDesk jobs, UserLimits limits)
{
    private const string MergeKind = UserJobs.Merge;

    private static readonly Rejection NoReader = new Rejection(Problem.InvalidFields, "Nothing was done: no reader is proved. Send the reader's cookie, the header Heart-Reader or reader_token.")
        .Add("reader_token", "must be a valid token of a reader where neither cookie nor header is");

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
        if (!account.IsServer && readers.IsForeign(context))
        {
            await Caller.OfForeignPage.RefuseAsync(context);
            return;
        }

        if (!await limits.AdmitAsync(context, account)) return;
        var reader = body.Value.ReaderToken is { } token ? readers.Find(context, token, body.Value.ReaderOrigin) : account.IsServer ? null : readers.Find(context);
        if (reader is null)
        {
            await context.WriteProblemAsync(NoReader);
            return;
        }

        var arguments = new System.Text.Json.Nodes.JsonObject { ["reader"] = reader, ["account"] = accountId }.ToJsonString();
        if (await jobs.RunAsync(context, new JobOrder(MergeKind, reader + "\n" + accountId, arguments, account.Origin!.Actor, account.Origin.Network)) is not { } job) return;
        using var progress = JsonDocument.Parse(job.Progress);

        // Who still has hearts as that reader can merge again.
        if (job.State == JobState.Done && Figure(progress, "left") == 0) readers.Forget(context, reader);
        await JobDesk.AnswerAsync(context, job, Write(accountId, job, progress), isOperator: false);
    }

    private static HeartJson Write(string account, JobView job, JsonDocument progress)
    {
        var json = HeartJson.Start()
            .Raw("{\"receipt\":"u8).Text(job.Id)
            .Raw(",\"state\":"u8).Text(JobDesk.NameOf(job.State))
            .Raw(",\"user_id\":"u8).Text(account)
            .Raw(",\"moved\":"u8).Number(Figure(progress, "moved"))
            .Raw(",\"already\":"u8).Number(Figure(progress, "already"))
            .Raw(",\"left\":"u8).Number(Figure(progress, "left"))
            .Raw(",\"targets\":"u8).Number(Figure(progress, "targets"));
        return JobDesk.WriteTimes(json, job).Raw("}"u8);
    }

    private static long Figure(JsonDocument progress, string name) => progress.RootElement.TryGetProperty(name, out var figure) ? figure.GetInt64() : 0;
}
