using CsCheck;
using HeartGrains.RateLimiting;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

/// <summary>
/// Gateways, seats, silos, grain and store as one deterministic system: calls come in bursts at random gateways while gateways restart, join and go, seats
/// move, answers get lost, grains crash and move, calls fail and give back, and stale activations live on. Whatever happens, no window sees more than
/// limit + rate × window.
/// </summary>
public sealed class QuotaSimulationTests
{
    private static readonly Gen<QuotaPolicy> Policies = Gen
        .Select(Gen.Enum<QuotaAlgorithm>(), Gen.Long[1, 60], Gen.Int[60, 600], Gen.Int[0, 4], Gen.Int[1, 12])
        .Select((algorithm, limit, seconds, slice, segments) => new QuotaPolicy
        {
            Name = "user",
            Dimension = QuotaDimension.User,
            Algorithm = algorithm,
            Limit = limit,
            Window = TimeSpan.FromSeconds(seconds),
            Segments = segments,
            SliceTokens = slice,
        });

    [Fact]
    public void Admissions_AnySchedule_NeverExceedLimitPlusRateTimesWindow()
    {
        var pauses = Gen.Frequency((6, Gen.Int[0, 200]), (3, Gen.Int[200, 6_000]), (2, Gen.Int[6_000, 60_000]));
        var costs = Gen.Frequency((4, Gen.Const(1)), (1, Gen.Int[1, 5]));
        var steps = Gen.Select(pauses, Gen.Int[0, 99], Gen.Int[0, 7], Gen.Int[1, 30], costs).Array[20, 150];
        var cases = 0;
        var admitted = 0L;
        Gen.Select(Policies, Gen.Int[1, 8], steps).Sample((policy, gateways, schedule) =>
        {
            var world = new QuotaWorld(policy, gateways);
            foreach (var (pause, action, gateway, burst, cost) in schedule) world.Step(pause, action, gateway, burst, cost);
            world.ShouldKeepTheBound();
            Interlocked.Increment(ref cases);
            Interlocked.Add(ref admitted, world.Admitted);
        }, iter: 5_000);
        admitted.ShouldBeGreaterThan(cases * 10L);
    }

    /// <summary>
    /// Eight gateways spend all at once and seven go; their seats are taken away a window later, when the grain is loaded from what it wrote before. What came back
    /// meanwhile came to slices as well.
    /// </summary>
    [Theory]
    [InlineData(36, 2, 600, 0.55)]
    [InlineData(36, 2, 600, 0.3)]
    [InlineData(36, 2, 86_400, 0.5625)]
    [InlineData(1_800, 100, 3_600, 0.53)]
    public void Admissions_GatewaysGoWhileTheGrainIsNotLoaded_KeepTheBound(int limit, int slice, int seconds, double partUnwritten)
    {
        var policy = RateLimiting.Policies.User with { Limit = limit, Window = TimeSpan.FromSeconds(seconds), SliceTokens = slice };
        var world = new QuotaWorld(policy, gateways: 8);
        for (var second = 0; second < seconds * 2 + 200; second += 5) Renew(pause: 5_000, gateways: 8);
        for (var gateway = 0; gateway < 8; gateway++) world.Step(0, 0, gateway, limit, 1);

        var time = 0;
        for (; time < (1 - partUnwritten) * (seconds + 15); time += 5)
        {
            Renew(5_000, gateways: 1);
            world.Step(0, 0, 0, burst: 5, 1);
        }

        for (; time < seconds + 25; time += 5) Renew(5_000, gateways: 1);
        world.Step(0, 83, 0, burst: 0, 1);
        world.Step(0, 0, 0, burst: limit * 2, 1);
        world.ShouldKeepTheBound();

        void Renew(int pause, int gateways)
        {
            for (var gateway = 0; gateway < gateways; gateway++) world.Step(gateway == 0 ? pause : 0, QuotaWorld.RenewAction, gateway, 0, 1);
            world.Step(0, 67, 0, burst: 0, 1);
            world.Step(0, 67, 0, burst: 1, 1);
        }
    }

    [Theory]
    [InlineData(0, 60)]
    [InlineData(1, 58)]
    public void Admissions_OneGateway_GetsAllButTheSpareSeatsSlice(int spareSeats, int expected)
    {
        var policy = new QuotaPolicy
        {
            Name = "user",
            Dimension = QuotaDimension.User,
            Algorithm = QuotaAlgorithm.TokenBucket,
            Limit = 60,
            Window = TimeSpan.FromMinutes(1),
            SliceTokens = 2,
        };
        var world = new QuotaWorld(policy, gateways: 1, spareSeats);
        world.Step(pause: 0, action: QuotaWorld.RenewAction, gateway: 0, burst: 0, cost: 1);
        world.Step(pause: 0, action: 67, gateway: 0, burst: 0, cost: 1);
        world.Step(pause: 0, action: 0, gateway: 0, burst: 100, cost: 1);
        world.Admitted.ShouldBe(expected);
    }
}
