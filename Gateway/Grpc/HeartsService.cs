using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.V1;
using HeartsApi = HeartGrains.V1.Hearts;
using Timestamp = Google.Protobuf.WellKnownTypes.Timestamp;

namespace HeartGrains.Gateway.Grpc;

/// <summary>The service <c>Hearts</c>: checks messages, and has the rest done by what does it for HTTP.</summary>
internal sealed class HeartsService(HeartGiving giving, HeartReading reading, HeartLists lists, QuotaTaking taking, WatchCalls watches, Callers callers) : HeartsApi.HeartsBase
{
    public override async Task<GiveReply> Give(GiveRequest request, ServerCallContext context)
    {
        var fields = new MessageFields();
        fields.Target(request.TargetId);
        if (request.HasUserId) fields.User(request.UserId);
        if (request.HasCampaignId) fields.Campaign(request.CampaignId);
        var http = context.GetHttpContext();
        var caller = await IdentifyAsync(http, HeartOperation.Give, fields.Rejection, request.HasUserId ? request.UserId : null);
        var result = await giving.GiveAsync(http, request.TargetId, caller, request.HasCampaignId ? request.CampaignId : null);
        if (result.Refusal is { } refusal) throw await http.RefusedAsync(refusal.WriteAsync);
        var receipt = result.Receipt;
        return new GiveReply
        {
            Id = receipt.Id.ToString(),
            TargetId = request.TargetId,
            UserId = caller.UserId,
            Count = receipt.Count,
            Version = receipt.Version,
            GivenAt = TimeOf(receipt.GivenAtMicros),
            Created = receipt.Changed,
        };
    }

    public override async Task<WithdrawReply> Withdraw(WithdrawRequest request, ServerCallContext context)
    {
        var fields = new MessageFields();
        fields.Target(request.TargetId);
        if (request.HasUserId) fields.User(request.UserId);
        var http = context.GetHttpContext();
        var caller = await IdentifyAsync(http, HeartOperation.Withdraw, fields.Rejection, request.HasUserId ? request.UserId : null);
        var result = await giving.WithdrawAsync(http, request.TargetId, caller);
        if (result.Refusal is { } refusal) throw await http.RefusedAsync(refusal.WriteAsync);
        var receipt = result.Receipt;
        return new WithdrawReply { TargetId = request.TargetId, UserId = caller.UserId, Count = receipt.Count, Version = receipt.Version, Removed = receipt.Changed };
    }

    public override async Task<TargetHearts> Get(GetRequest request, ServerCallContext context)
    {
        var fields = new MessageFields();
        fields.Target(request.TargetId);
        if (request.HasUserId) fields.User(request.UserId);
        var http = context.GetHttpContext();
        var caller = await IdentifyForReadAsync(http, fields.Rejection, request.HasUserId ? request.UserId : null);
        TargetHearts? hearts = null;
        ReadRefusal? refusal = null;
        await reading.ReadAsync(http, request.TargetId, caller.UserId, caller.UserId is not null && !request.HasUserId, (HttpContext _, string targetId, bool _, in TargetRead result) =>
        {
            refusal = result.Refusal;
            hearts = Of(targetId, result);
            return Task.CompletedTask;
        });
        return refusal is null ? hearts! : throw await http.RefusedAsync(refusal.WriteAsync);
    }

    public override async Task<QueryReply> Query(QueryRequest request, ServerCallContext context)
    {
        var fields = new MessageFields();
        fields.Targets(request.TargetIds, HeartBody.BatchLimit);
        if (request.HasUserId) fields.User(request.UserId);
        var http = context.GetHttpContext();
        var caller = await IdentifyForReadAsync(http, fields.Rejection, request.HasUserId ? request.UserId : null);
        var reply = new QueryReply();
        ReadRefusal? refusal = null;
        await reading.ReadBatchAsync(http, [.. request.TargetIds], caller.UserId, caller.UserId is not null && !request.HasUserId, (HttpContext _, string[] targets, bool _, in TargetReads result) =>
        {
            refusal = result.Refusal;
            for (var index = 0; refusal is null && index < targets.Length; index++) reply.Hearts.Add(Of(targets[index], result[index]));
            return Task.CompletedTask;
        });
        return refusal is null ? reply : throw await http.RefusedAsync(refusal.WriteAsync);
    }

    public override async Task<UsersReply> Users(UsersRequest request, ServerCallContext context)
    {
        var fields = new MessageFields();
        fields.Target(request.TargetId);
        if (request.HasLimit) fields.Limit(request.Limit);
        var http = context.GetHttpContext();
        await RequireAsync(http, fields.Rejection);
        var limit = request.HasLimit ? request.Limit : HeartQuery.DefaultLimit;
        if (await lists.ReadUsersAsync(http, request.TargetId, request.HasCursor ? request.Cursor : null, limit) is not { } page) throw http.Told();
        var reply = new UsersReply { TargetId = request.TargetId };
        foreach (var user in page.Users) reply.Users.Add(new HeartUser { UserId = user.UserId, Id = user.Id.ToString(), GivenAt = TimeOf(user.GivenAtMicros) });
        if (page.NextCursor is { } next) reply.NextCursor = next;
        return reply;
    }

    public override async Task Watch(WatchRequest request, IServerStreamWriter<WatchReply> responseStream, ServerCallContext context)
    {
        var fields = new MessageFields();
        fields.Targets(request.TargetIds, watches.MaxTargets);
        fields.Versions(request.KnownVersions, request.TargetIds);
        await RequireAsync(context.GetHttpContext(), fields.Rejection);
        await watches.ServeAsync(request, responseStream, context);
    }

    public override async Task<AcquireQuotaReply> AcquireQuota(AcquireQuotaRequest request, ServerCallContext context)
    {
        var fields = new MessageFields();
        if (request.HasUserId) fields.User(request.UserId);
        fields.Tokens(request.Tokens);
        if (request.HasCampaignId) fields.Campaign(request.CampaignId);
        var http = context.GetHttpContext();
        await RequireAsync(http, fields.Rejection);
        var asked = new QuotaRequest(request.HasUserId ? request.UserId : null, request.Tokens, request.HasCampaignId ? request.CampaignId : null);
        if (await taking.TakeAsync(http, asked) is not var (userId, judgement)) throw http.Told();
        var reply = new AcquireQuotaReply { UserId = userId, Tokens = request.Tokens };
        if (judgement.Tightest is { } tightest)
            reply.Tightest = new PolicyStanding { Policy = tightest.Policy.Name, Remaining = judgement.Remaining, ResetSeconds = QuotaHeaders.Seconds(judgement.ResetMillis) };
        return reply;
    }

    private async ValueTask<Caller> IdentifyAsync(HttpContext http, HeartOperation operation, Rejection? rejection, string? userId)
    {
        var caller = rejection is null ? callers.Identify(http, userId, Problem.InvalidFields) : new Caller(null, Refusal: rejection);
        if (caller.UserId is not null) return caller;
        giving.CountInvalid(operation);
        throw await http.RefusedAsync(caller.RefuseAsync);
    }

    private async ValueTask<Caller> IdentifyForReadAsync(HttpContext http, Rejection? rejection, string? userId)
    {
        var caller = rejection is null ? callers.IdentifyForRead(http, userId, Problem.InvalidFields) : new Caller(null, Refusal: rejection);
        return caller.Refusal is null ? caller : throw await http.RefusedAsync(caller.RefuseAsync);
    }

    private static async ValueTask RequireAsync(HttpContext http, Rejection? rejection)
    {
        if (rejection is not null) throw await http.RefusedAsync(refused => refused.WriteProblemAsync(rejection));
    }

    private static TargetHearts Of(string targetId, in TargetRead result)
    {
        var state = result.State;
        var hearts = new TargetHearts { TargetId = targetId, Count = state.Count, Version = state.Version, Opening = state.Opening };
        if (state.Hearted is { } hearted) hearts.Hearted = hearted;
        if (result.AsOf > 0) hearts.StaleAsOf = TimeOf((result.AsOf - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond);
        return hearts;
    }

    private static Timestamp TimeOf(long micros)
    {
        const long MicrosPerSecond = 1_000_000;
        return new Timestamp { Seconds = micros / MicrosPerSecond, Nanos = (int)(micros % MicrosPerSecond) * 1_000 };
    }
}
