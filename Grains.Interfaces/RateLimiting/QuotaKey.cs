namespace HeartGrains.RateLimiting;

/// <summary>
/// Keys of <see cref="IRateLimitGrain"/>. Each starts with a prefix that is no hexadecimal number, which the grain storage would store as one.
/// </summary>
public static class QuotaKey
{
    private static readonly string[] Prefixes = ["u:", "ip:", "t:", "mc:"];

    /// <summary>The key of a value of a dimension.</summary>
    public static string Of(QuotaDimension dimension, string value) => Prefixes[(int)dimension] + value;

    /// <summary>The dimension a key is of; null when it is none of ours.</summary>
    public static QuotaDimension? DimensionOf(string key)
    {
        var index = Array.FindIndex(Prefixes, prefix => key.StartsWith(prefix, StringComparison.Ordinal));
        return index < 0 ? null : (QuotaDimension)index;
    }
}
