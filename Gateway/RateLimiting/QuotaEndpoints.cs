using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Operations;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.Moderation;
using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>Quotas for others: take tokens, look, reset.</summary>
internal sealed class QuotaEndpoints(Quota quota, QuotaDesk desk, QuotaTaking taking, Callers callers, OperatorDoor door, GrainCalls calls)
{
    private const int BodyByteLimit = 8 * 1024;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var endpoints = ActivatorUtilities.CreateInstance<QuotaEndpoints>(services);
        var metrics = services.GetRequiredService<GatewayMetrics>();

        Add("/api/v1/quota/acquire", [HttpMethods.Post], endpoints.AcquireAsync, "quota_acquire").Describe(QuotaOperations.Acquire);
        Add("/api/v1/quota", [HttpMethods.Get, HttpMethods.Head], endpoints.ReadAsync, "quota").Describe(QuotaOperations.Read);
        routes.MapOperators(HttpMethods.Delete, "/api/v1/quota", endpoints.ResetAsync, "quota_reset", QuotaOperations.Reset);

        IEndpointConventionBuilder Add(string pattern, string[] methods, RequestDelegate handler, string name) =>
            routes.MapMethods(pattern, methods, handler).WithMetadata(metrics.TimesOf(name)).WithDisplayName(name);
    }

    /// <summary><c>POST /quota/acquire</c>: all tokens or none, under every policy of the user and the campaign.</summary>
    private async Task AcquireAsync(HttpContext context)
    {
        var body = await JsonBody.ReadAsync(context.Request, BodyByteLimit, HeartBody.ParseQuota);
        if (body.Rejection is { } rejection)
        {
            await context.WriteProblemAsync(rejection);
            return;
        }

        var request = body.Value;
        if (await taking.TakeAsync(context, request) is not var (userId, judgement)) return;
        var json = HeartJson.Start()
            .Raw("{\"user_id\":"u8).Text(userId)
            .Raw(",\"tokens\":"u8).Number(request.Tokens);
        if (judgement.Tightest is { } tightest)
        {
            json.Raw(",\"policy\":"u8).Text(tightest.Policy.Name)
                .Raw(",\"remaining\":"u8).Number(judgement.Remaining)
                .Raw(",\"reset\":"u8).Number(QuotaHeaders.Seconds(judgement.ResetMillis));
        }

        await json.Raw("}"u8).SendAsync(context, StatusCodes.Status200OK);
    }

    /// <summary><c>GET /quota</c>: each policy that applies, without spending.</summary>
    private async Task ReadAsync(HttpContext context)
    {
        var query = HeartQuery.Parse(
            context.Request.QueryString.Value ?? "", QueryParameters.None, QueryParameters.UserId | QueryParameters.TargetId | QueryParameters.CampaignId);
        if (query.Rejection is { } rejection)
        {
            await context.WriteProblemAsync(rejection);
            return;
        }

        var caller = callers.IdentifyForRead(context, query.Value.UserId, Problem.InvalidQuery);
        if (caller.UserId is not { } userId)
        {
            await (caller.Refusal is null ? Caller.Nobody(Problem.InvalidQuery) : caller).RefuseAsync(context);
            return;
        }

        if (!quota.IsReady)
        {
            await QuotaRefusals.UnavailableAsync(context);
            return;
        }

        var keys = new QuotaKeys(
            userId, quota.Set.NeedsAddress ? ClientAddress.Of(context) : null, query.Value.TargetId, query.Value.CampaignId);
        var standings = await desk.ReadAsync(keys, context.RequestAborted);
        if (standings.Any(standing => !standing.IsKnown))
        {
            await QuotaRefusals.UnavailableAsync(context);
            return;
        }

        var json = HeartJson.Start().Raw("{\"user_id\":"u8).Text(userId).Raw(",\"policies\":["u8);
        foreach (var (index, standing) in standings.Index())
        {
            var policy = standing.Policy.Policy;
            if (index > 0) json.Raw(","u8);
            json.Raw("{\"name\":"u8).Text(policy.Name)
                .Raw(",\"dimension\":"u8).Text(NameOf(policy.Dimension))
                .Raw(",\"algorithm\":"u8).Text(NameOf(policy.Algorithm))
                .Raw(",\"limit\":"u8).Number(policy.Limit)
                .Raw(",\"window\":"u8).Number((long)Math.Ceiling(policy.Window.TotalSeconds))
                .Raw(",\"remaining\":"u8).Number(standing.Remaining)
                .Raw(",\"reset\":"u8).Number(QuotaHeaders.Seconds(standing.ResetMillis))
                .Raw(",\"shadow\":"u8).Flag(policy.IsShadow)
                .Raw("}"u8);
        }

        context.Response.Headers.CacheControl = "no-store";
        await json.Raw("]}"u8).SendAsync(context, StatusCodes.Status200OK);
    }

    /// <summary><c>DELETE /quota</c>: an operator makes a user's quotas whole.</summary>
    private async Task ResetAsync(HttpContext context)
    {
        if (await door.LetInAsync(context) is not { } origin) return;
        var query = HeartQuery.Parse(context.Request.QueryString.Value ?? "", QueryParameters.UserId);
        if (query.Rejection is { } rejection)
        {
            await context.WriteProblemAsync(rejection);
            return;
        }

        if (Readers.IsTombstone(query.Value.UserId))
        {
            await context.WriteProblemAsync(new Rejection(Problem.InvalidQuery, "Nothing was done: no user is called so.").Add("user_id", OperatorFields.NoTombstone));
            return;
        }

        // Into the log first: no quota is made whole of which nobody knows by whom.
        var userId = query.Value.UserId!;
        var note = new NoteCall(DeskNote.Of("quota_reset") with { UserId = userId }, origin) { RequestAborted = context.RequestAborted };
        if (!quota.IsReady || await calls.CallAsync(note) != CallStatus.Answered || note.Outcome != HeartOutcome.Committed || !await desk.ResetAsync(userId, context.RequestAborted))
        {
            await QuotaRefusals.UnavailableAsync(context);
            return;
        }

        await HeartJson.Start().Raw("{\"user_id\":"u8).Text(userId).Raw(",\"reset\":true}"u8).SendAsync(context, StatusCodes.Status200OK);
    }

    private static string NameOf(QuotaDimension dimension) => dimension switch
    {
        QuotaDimension.User => "user",
        QuotaDimension.Address => "address",
        QuotaDimension.Target => "target",
        _ => "campaign",
    };

    private static string NameOf(QuotaAlgorithm algorithm) => algorithm switch
    {
        QuotaAlgorithm.TokenBucket => "token_bucket",
        QuotaAlgorithm.SlidingWindow => "sliding_window",
        _ => "leaky_bucket",
    };
}
