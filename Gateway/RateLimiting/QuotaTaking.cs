using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>Takes tokens for others than hearts, for every interface that sells them.</summary>
internal sealed class QuotaTaking(Quota quota, Callers callers)
{
    /// <summary>All tokens or none, under every policy of the user and the campaign, and whose they are; null when the caller has been told why none.</summary>
    public async ValueTask<(string UserId, QuotaJudgement Judgement)?> TakeAsync(HttpContext context, QuotaRequest request)
    {
        var caller = callers.IdentifyNamed(context, request.UserId, Problem.InvalidFields);
        if (caller.UserId is not { } userId)
        {
            // Also of a reader's name: lists tell them, and whoever reads those must not be able to silence one.
            await caller.RefuseAsync(context);
            return null;
        }

        if (!quota.IsReady)
        {
            await QuotaRefusals.UnavailableAsync(context);
            return null;
        }

        var keys = new QuotaKeys(userId, CampaignId: request.CampaignId);
        if (quota.Set.Policies.Where(policy => keys.Of(policy.Policy.Dimension) is not null && !policy.Policy.IsShadow).MinBy(policy => policy.Policy.Limit) is { } least
            && request.Tokens > least.Policy.Limit)
        {
            await context.WriteProblemAsync(new Rejection(Problem.InvalidFields, "See errors for each field.")
                .Add("tokens", $"must be at most {least.Policy.Limit}, the limit of the policy {least.Policy.Name}"));
            return null;
        }

        var judgement = await quota.AcquireAsync(keys, request.Tokens, context.RequestAborted);
        QuotaHeaders.Write(context, judgement);
        if (judgement.Status == QuotaStatus.Admitted) return (userId, judgement);
        await QuotaRefusals.WriteAsync(context, judgement);
        return null;
    }
}
