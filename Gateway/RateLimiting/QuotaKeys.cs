using HeartGrains.RateLimiting;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>Who and what a request is about: a policy judges it when the key of its dimension is there.</summary>
internal readonly record struct QuotaKeys(string? UserId, string? Address = null, string? TargetId = null, string? CampaignId = null)
{
    /// <summary>How many values <see cref="Mask"/> has.</summary>
    public const int Masks = 16;

    /// <summary>The dimensions that have a key, as bits.</summary>
    public int Mask =>
        (UserId is null ? 0 : MaskOf(QuotaDimension.User)) | (Address is null ? 0 : MaskOf(QuotaDimension.Address))
        | (TargetId is null ? 0 : MaskOf(QuotaDimension.Target)) | (CampaignId is null ? 0 : MaskOf(QuotaDimension.Campaign));

    /// <summary>The bit of a dimension.</summary>
    public static int MaskOf(QuotaDimension dimension) => 1 << (int)dimension;

    /// <summary>The key of a dimension, or null.</summary>
    public string? Of(QuotaDimension dimension) => dimension switch
    {
        QuotaDimension.User => UserId,
        QuotaDimension.Address => Address,
        QuotaDimension.Target => TargetId,
        _ => CampaignId,
    };
}
