namespace HeartGrains.RateLimiting;

/// <summary>
/// A part of every user's bucket, in ticks of a monotonic clock. Shares are proportional: one of <paramref name="Tokens"/> out of a limit
/// of L refills at Tokens/L of the rate, so each share, whatever its size, fills in the same time L/rate, and shares that add up to L
/// in tokens add up to the rate as well.
/// </summary>
/// <param name="Tokens">The most tokens the share holds.</param>
/// <param name="TicksPerToken">How long one token takes to come back, rounded up.</param>
public readonly record struct QuotaShare(int Tokens, long TicksPerToken)
{
    /// <summary>How long the share takes from empty to full.</summary>
    public long FillTicks => Tokens * TicksPerToken;

    /// <summary>The share of <paramref name="tokens"/> in a bucket of <paramref name="tokenLimit"/>, for a clock of the given frequency.</summary>
    public static QuotaShare Of(int tokens, int tokenLimit, double tokensPerSecond, long ticksPerSecond)
    {
        if (tokens <= 0) return default;
        var fillTicks = (long)Math.Ceiling(tokenLimit / tokensPerSecond * ticksPerSecond);
        return new QuotaShare(tokens, (fillTicks + tokens - 1) / tokens);
    }
}
