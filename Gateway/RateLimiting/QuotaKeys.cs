using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>Who and what a request is about: a policy judges it when the key of its dimension is there.</summary>
internal readonly record struct QuotaKeys(string? UserId, string? Address = null, string? TargetId = null, string? CampaignId = null)
{
    /// <summary>The key of a dimension, or null.</summary>
    public string? Of(QuotaDimension dimension) => dimension switch
    {
        QuotaDimension.User => UserId,
        QuotaDimension.Address => Address,
        QuotaDimension.Target => TargetId,
        _ => CampaignId,
    };
}
