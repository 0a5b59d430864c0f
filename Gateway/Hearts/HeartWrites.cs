using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Problems;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Hearts;

/// <summary>Giving and withdrawing hearts: parse, settle who the user is, give, answer.</summary>
internal sealed class HeartWrites(HeartGiving giving, Callers callers)
{
    /// <summary>Room for the longest identifiers with every byte escaped, and then some.</summary>
    public const int BodyByteLimit = 8 * 1024;

    private static readonly GiveAnswer Given = static (context, targetId, userId, in result) =>
        result.Refusal?.WriteAsync(context) ?? GivenAsync(context, targetId, userId, false, result.Receipt);

    private static readonly GiveAnswer GivenByReader = static (context, targetId, userId, in result) =>
        result.Refusal?.WriteAsync(context) ?? GivenAsync(context, targetId, userId, true, result.Receipt);

    private static readonly GiveAnswer Withdrawn = static (context, targetId, userId, in result) =>
        result.Refusal?.WriteAsync(context) ?? WithdrawnAsync(context, targetId, userId, result.Receipt);

    /// <summary><c>POST /hearts</c></summary>
    public Task GiveAsync(HttpContext context)
    {
        var body = JsonBody.ReadAsync(context.Request, BodyByteLimit, HeartBody.ParseHeart);
        return body.IsCompletedSuccessfully ? GiveAsync(context, body.Result) : AwaitBodyAsync(context, body);
    }

    /// <summary><c>DELETE /hearts</c></summary>
    public Task WithdrawAsync(HttpContext context)
    {
        var query = HeartQuery.Parse(context.Request.QueryString.Value ?? "", QueryParameters.TargetId, QueryParameters.UserId);
        return query.Rejection is { } rejection
            ? RejectAsync(context, HeartOperation.Withdraw, rejection)
            : WriteAsync(context, HeartOperation.Withdraw, query.Value.TargetId!, query.Value.UserId, null);
    }

    private async Task AwaitBodyAsync(HttpContext context, ValueTask<Parsed<HeartRequest>> body) => await GiveAsync(context, await body);

    private Task GiveAsync(HttpContext context, in Parsed<HeartRequest> body) =>
        body.Rejection is { } rejection
            ? RejectAsync(context, HeartOperation.Give, rejection)
            : WriteAsync(context, HeartOperation.Give, body.Value.TargetId, body.Value.UserId, body.Value.CampaignId);

    private Task RejectAsync(HttpContext context, HeartOperation operation, Rejection rejection)
    {
        giving.CountInvalid(operation);
        return context.WriteProblemAsync(rejection);
    }

    private Task WriteAsync(HttpContext context, HeartOperation operation, string targetId, string? userId, string? campaignId)
    {
        var caller = callers.Identify(context, userId, operation == HeartOperation.Give ? Problem.InvalidFields : Problem.InvalidQuery);
        if (caller.UserId is { } user)
            return giving.ChangeAsync(context, operation, targetId, user, caller.Origin, campaignId, operation == HeartOperation.Withdraw ? Withdrawn : userId is null ? GivenByReader : Given);
        giving.CountInvalid(operation);
        return caller.RefuseAsync(context);
    }

    private static Task GivenAsync(HttpContext context, string targetId, string userId, bool isReader, in HeartReceipt receipt)
    {
        if (receipt.Changed)
        {
            var location = "/api/v1/hearts?target_id=" + Uri.EscapeDataString(targetId);
            context.Response.Headers.Location = isReader ? location : string.Concat(location, "&user_id=", Uri.EscapeDataString(userId));
        }

        return HeartJson.Start()
            .Raw("{\"id\":"u8).Id(receipt.Id)
            .Raw(",\"target_id\":"u8).Text(targetId)
            .Raw(",\"user_id\":"u8).Text(userId)
            .Raw(",\"count\":"u8).Number(receipt.Count)
            .Raw(",\"timestamp\":"u8).Timestamp(receipt.GivenAtMicros)
            .Raw(",\"version\":"u8).Number(receipt.Version)
            .Raw(",\"created\":"u8).Flag(receipt.Changed)
            .Raw("}"u8)
            .SendAsync(context, receipt.Changed ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    private static Task WithdrawnAsync(HttpContext context, string targetId, string userId, in HeartReceipt receipt) =>
        HeartJson.Start()
            .Raw("{\"target_id\":"u8).Text(targetId)
            .Raw(",\"user_id\":"u8).Text(userId)
            .Raw(",\"count\":"u8).Number(receipt.Count)
            .Raw(",\"version\":"u8).Number(receipt.Version)
            .Raw(",\"hearted\":false,\"removed\":"u8).Flag(receipt.Changed)
            .Raw("}"u8)
            .SendAsync(context, StatusCodes.Status200OK);
}
