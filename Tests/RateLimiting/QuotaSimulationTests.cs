using CsCheck;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.RateLimiting;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

/// <summary>
/// Gateways, seats, grain and store as one deterministic system: calls come in bursts at random gateways while gateways restart, seats
/// move, answers get lost, grains crash, and stale activations live on. Whatever happens, no window sees more than limit + rate × window.
/// </summary>
public sealed class QuotaSimulationTests
{
    [Fact]
    public void Admissions_AnySchedule_NeverExceedLimitPlusRateTimesWindow()
    {
        var policies = Gen.Select(Gen.Int[1, 40], Gen.Int[1, 5], Gen.Int[1, 3], Gen.Int[0, 3]);
        var pauses = Gen.Frequency((6, Gen.Int[0, 200]), (3, Gen.Int[200, 6_000]), (1, Gen.Int[6_000, 60_000]));
        var steps = Gen.Select(pauses, Gen.Int[0, 99], Gen.Int[0, 2], Gen.Int[1, 30]).Array[20, 120];
        var cases = 0;
        var admitted = 0L;
        Gen.Select(policies, steps).Sample((policy, schedule) =>
        {
            var (limit, perSecond, slice, seats) = policy;
            var world = new QuotaWorld(limit, perSecond, slice, seats);
            foreach (var (pause, action, gateway, burst) in schedule) world.Step(pause, action, gateway, burst);
            world.ShouldKeepTheBound();
            Interlocked.Increment(ref cases);
            Interlocked.Add(ref admitted, world.Admitted);
        }, iter: 3_000);
        admitted.ShouldBeGreaterThan(cases * 10L);
    }

    [Fact]
    public void Admissions_CallsAtTheGrainOnly_ReachItsWholeShare()
    {
        var world = new QuotaWorld(limit: 60, perSecond: 1, slice: 2, seats: 1);
        world.Step(pause: 0, action: QuotaWorld.RenewAction, gateway: 0, burst: 0);
        world.Step(pause: 0, action: 0, gateway: 0, burst: 100);
        world.Admitted.ShouldBe(60);
    }
}
