using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Resilience;
using HeartGrains.RateLimiting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace HeartGrains.LoadTest.QuotaCost;

/// <summary>A gateway's quota with a seat and nobody to ask: for users who do not spend more than their slice.</summary>
internal static class QuotaTables
{
    /// <summary>The default policy: 60 tokens, one back each second, two of them in the slice.</summary>
    public static QuotaPolicy Policy { get; } = new()
    {
        Name = "user",
        Dimension = QuotaDimension.User,
        Algorithm = QuotaAlgorithm.TokenBucket,
        Limit = 60,
        Window = TimeSpan.FromMinutes(1),
        SliceTokens = 2,
    };

    public static Quota Seated(TimeProvider clock, int users, out QuotaSlices slices)
    {
        var services = new ServiceCollection().AddLogging()
            .AddSingleton<IConfiguration>(new ConfigurationManager())
            .AddSingleton(clock)
            .AddSingleton(new GrainAddresses(null!))
            .AddSingleton(ClusterConnection.Remote(new GatewayMetrics()))
            .AddHeartCalls()
            .BuildServiceProvider();
        var seat = new GatewaySeat([Policy], 0, Term: 1, FreeMillis: long.MaxValue / 2, LeaseMillis: 15_000);
        slices = new QuotaSlices(users, clock);
        slices.Extend(seat.Term, long.MaxValue);
        return new Quota(slices, services.GetRequiredService<GrainCalls>(), clock, NullLogger<Quota>.Instance)
        {
            Set = PolicySet.None.With(seat, clock.GetTimestamp(), clock.TimestampFrequency),
        };
    }
}
