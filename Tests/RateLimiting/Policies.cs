using HeartGrains.Gateway.RateLimiting;
using HeartGrains.RateLimiting;

namespace HeartGrains.Tests.RateLimiting;

/// <summary>Policies and seats as tests want them.</summary>
internal static class Policies
{
    public const long LeaseMillis = 15_000;

    /// <summary>60 tokens, one back each second.</summary>
    public static QuotaPolicy User { get; } = new()
    {
        Name = "user",
        Dimension = QuotaDimension.User,
        Algorithm = QuotaAlgorithm.TokenBucket,
        Limit = 60,
        Window = TimeSpan.FromMinutes(1),
        SliceTokens = 2,
    };

    /// <summary>A seat that nobody ever had before.</summary>
    public static GatewaySeat Seat(int index, params QuotaPolicy[] policies) =>
        new(policies, index, Term: index + 1, FreeMillis: long.MaxValue / 2, LeaseMillis);

    public static PolicySet Prepared(TimeProvider time, int seat, params QuotaPolicy[] policies) =>
        PolicySet.None.With(Seat(seat, policies), time.GetTimestamp(), time.TimestampFrequency);
}
