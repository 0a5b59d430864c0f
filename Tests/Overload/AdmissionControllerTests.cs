using HeartGrains.Gateway.Overload;

namespace HeartGrains.Tests.Overload;

public sealed class AdmissionControllerTests
{
    private readonly OverloadOptions _options = new() { MinRate = 50, MaxRate = 100_000, MaxInFlight = 10_000 };

    [Fact]
    public void Flow_Calm_Overload_Calm()
    {
        var server = new ModelServer(_options, capacity: 5_000);

        server.Run(seconds: 5, demand: 4_000);
        server.Controller.IsLimiting.ShouldBeFalse();
        server.Refused.ShouldBe(0);

        server.Run(seconds: 20, demand: 10_000);
        server.Controller.IsLimiting.ShouldBeTrue();
        server.Answered.ShouldBeGreaterThan(98_000);
        server.LatencyPart(0.99).ShouldBeLessThan(0.250);

        server.Run(seconds: 0.5, demand: 1_500);
        server.Run(seconds: 20, demand: 1_500);
        server.Refused.ShouldBe(0);
        server.Controller.IsLimiting.ShouldBeFalse();
    }

    [Fact]
    public void Update_CapacityFallsToATenth_FollowsIt()
    {
        var server = new ModelServer(_options, capacity: 5_000);
        server.Run(seconds: 5, demand: 4_000);

        server.Capacity = 500;
        server.Run(seconds: 3, demand: 4_000);
        server.Run(seconds: 10, demand: 4_000);

        server.Controller.Rate.ShouldBeInRange(300, 800);
        server.LatencyPart(0.99).ShouldBeLessThan(0.250);
        server.Answered.ShouldBeGreaterThan(4_750);
    }

    [Fact]
    public void Update_NothingIsAnswered_FallsToMinRateAndNoLower()
    {
        var server = new ModelServer(_options, capacity: 5_000);
        server.Run(seconds: 5, demand: 4_000);

        server.Capacity = 0;
        for (var second = 0; second < 30; second++)
        {
            server.Run(seconds: 1, demand: 4_000);
            server.Controller.Rate.ShouldBeGreaterThanOrEqualTo(_options.MinRate);
        }

        server.Controller.Rate.ShouldBe(_options.MinRate);
        server.Controller.InFlightLimit.ShouldBe(AdmissionController.InFlightFloor);
    }

    [Fact]
    public void Update_ServesAgainAfterAnOutage_IsBackWithinThreeSeconds()
    {
        var server = new ModelServer(_options, capacity: 0);
        server.Run(seconds: 20, demand: 4_000);

        server.Capacity = 5_000;
        server.Run(seconds: 3, demand: 4_000);
        server.Run(seconds: 1, demand: 4_000);

        server.Answered.ShouldBeGreaterThan(3_800);
    }

    [Fact]
    public void Update_OneStall_CostsLittle()
    {
        var server = new ModelServer(_options, capacity: 5_000);
        server.Run(seconds: 5, demand: 4_000);

        server.Capacity = 0;
        server.Run(seconds: 0.3, demand: 4_000);
        server.Capacity = 5_000;
        server.Run(seconds: 2, demand: 4_000);
        server.Run(seconds: 5, demand: 4_000);

        server.Refused.ShouldBe(0);
    }

    [Fact]
    public void Update_BurstThatIsAnsweredInTime_RefusesNobody()
    {
        var server = new ModelServer(_options, capacity: 10_000);

        // Just before an interval ends, so that it shows many in flight and hardly an answer.
        server.Run(seconds: 0.08, demand: 10);
        for (var burst = 0; burst < 20; burst++)
        {
            server.Run(seconds: 0.01, demand: 150_000);
            server.Controller.IsLimiting.ShouldBeFalse();
            server.Run(seconds: 0.99, demand: 10);
            server.Refused.ShouldBe(0);
        }
    }

    [Fact]
    public void Update_Limiting_BoundsWhatIsInFlightByTheGoal()
    {
        var server = new ModelServer(_options, capacity: 5_000);
        server.Run(seconds: 10, demand: 20_000);

        server.Controller.InFlightLimit.ShouldBeInRange(1, (int)(5_000 * _options.P95Goal.TotalSeconds));
        server.Run(seconds: 1, demand: 20_000);
        server.MostInFlight.ShouldBeLessThanOrEqualTo((int)(5_000 * _options.P95Goal.TotalSeconds));
    }

    [Fact]
    public void Update_ServerStallsAgainAndAgain_LosesNothingBetweenTheStalls()
    {
        var server = new ModelServer(_options, capacity: 10_000);
        var random = new Random(1);
        var (answered, possible) = (0.0, 0.0);
        for (var stall = 0; stall < 40; stall++)
        {
            Run(capacity: 0, random.Next(50, 200));
            Run(capacity: 10_000, random.Next(50, 900));
        }

        answered.ShouldBeGreaterThan(0.98 * possible);

        void Run(double capacity, int millis)
        {
            server.Capacity = capacity;
            server.Run(millis / 1_000.0, demand: 16_000);
            answered += server.Answered;
            possible += capacity * millis / 1_000.0;
        }
    }

    [Fact]
    public void Update_OverloadPausesForASecond_IsStillKnown()
    {
        var server = new ModelServer(_options, capacity: 5_000);
        server.Run(seconds: 5, demand: 10_000);
        server.Run(seconds: 1, demand: 500);

        server.Run(seconds: 5, demand: 10_000);

        server.LatencyPart(1).ShouldBeLessThan(0.250);
    }

    [Fact]
    public void Update_CpuOverItsGoal_AloneRefusesNobodyButSlowsGrowth()
    {
        var busy = new AdmissionController(_options);
        busy.Update(Sample(cpu: 1, p95Millis: 20));
        busy.IsLimiting.ShouldBeFalse();

        var free = new AdmissionController(_options);
        foreach (var controller in new[] { busy, free }) controller.Update(Sample(cpu: 1, p95Millis: 400));
        for (var interval = 0; interval < 9; interval++)
        {
            busy.Update(Sample(cpu: 1, p95Millis: 100));
            free.Update(Sample(cpu: 0.5, p95Millis: 100));
        }

        busy.IsLimiting.ShouldBeTrue();
        busy.Rate.ShouldBeLessThan(0.8 * free.Rate);
    }

    [Fact]
    public void Update_WorkWaitsForThreads_CountsAsLatency()
    {
        var controller = new AdmissionController(_options);
        controller.Update(Sample(p95Millis: 200, delayMillis: 40));
        controller.IsLimiting.ShouldBeFalse();

        controller.Update(Sample(p95Millis: 200, delayMillis: 60));
        controller.IsLimiting.ShouldBeTrue();
    }

    [Fact]
    public void Update_MissedTwiceWhileTheFirstCutTakesEffect_CutsOnce()
    {
        var controller = new AdmissionController(_options);
        controller.Update(Sample(p95Millis: 400));
        var rate = controller.Rate;

        for (var interval = 0; interval < 3; interval++) controller.Update(Sample(p95Millis: 400));
        controller.Rate.ShouldBe(rate);

        controller.Update(Sample(p95Millis: 400));
        controller.Rate.ShouldBeLessThan(rate);
    }

    private static IntervalSample Sample(double p95Millis, double cpu = 0.5, double delayMillis = 0) => new(
        TimeSpan.FromMilliseconds(100), Answered: 100, RefusedByRate: 0, RefusedInFlight: 0, InFlight: 10, TimeSpan.FromMilliseconds(p95Millis), TimeSpan.FromMilliseconds(delayMillis), cpu);
}
