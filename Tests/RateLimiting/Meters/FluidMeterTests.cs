using CsCheck;
using HeartGrains.RateLimiting.Meters;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting.Meters;

/// <summary>What a token bucket and a leaky bucket have in common, which is everything but the words.</summary>
public abstract class FluidMeterTests
{
    /// <summary>How many minima a bucket remembers: with no more readings of the clock, what is returned is exact.</summary>
    private const int RememberedReadings = 8;

    private static readonly MeterAction[] AllButReturn =
        [MeterAction.Advance, MeterAction.TryTake, MeterAction.Hold, MeterAction.Spend, MeterAction.Release];

    [Fact]
    public void TryTake_RandomScheduleWithoutReturns_AgreesWithReferenceModel() =>
        Gen.Select(MeterSchedule.Figures, MeterSchedule.Steps).Sample(
            (figures, steps) => MeterSchedule.ShouldAgree(
                Create(figures), Model(figures), figures, steps.Where(step => AllButReturn.Contains(step.Action))),
            iter: 1_000);

    [Fact]
    public void Return_RandomScheduleOfFewReadings_AgreesWithReferenceModel() =>
        Gen.Select(MeterSchedule.Figures, MeterSchedule.Steps).Sample(
            (figures, steps) => MeterSchedule.ShouldAgree(Create(figures), Model(figures), figures, steps, RememberedReadings),
            iter: 1_000);

    [Fact]
    public void Return_AnySchedule_NeverAdmitsMoreThanLimitPlusRateTimesSpan()
    {
        long admitted = 0;
        Gen.Select(MeterSchedule.Figures, MeterSchedule.Steps).Sample(
            (figures, steps) =>
            {
                var model = Model(figures);
                MeterSchedule.ShouldKeepTheBound(Create(figures), model, figures, steps);
                Interlocked.Add(ref admitted, model.Spent.Count(spending => spending.Tokens > 0));
            },
            iter: 1_000);
        admitted.ShouldBeGreaterThan(2_000);
    }

    [Fact]
    public void Return_MoreReadingsThanAreRemembered_NeverGivesMoreThanIsSafe() =>
        MeterSchedule.Drizzle.Sample(
            schedule => MeterSchedule.ShouldKeepTheBound(
                Create(schedule.Figures), Model(schedule.Figures), schedule.Figures, schedule.Steps),
            iter: 2_000);

    [Fact]
    public void Advance_TokensHeld_FillsOnlyTheRoomTheyLeave()
    {
        var meter = Create(limit: 10, periodTicks: 100, now: 0, available: 10);
        meter.Hold(4);
        meter.TryTake(6, 0).ShouldBeTrue();
        meter.Advance(1_000);
        meter.Available.ShouldBe(6);
    }

    [Fact]
    public void Spend_RestHasFilled_FillingGoesOnFromThere()
    {
        var meter = Create(limit: 10, periodTicks: 100, now: 0, available: 10);
        meter.Hold(4);
        meter.Advance(1_000);
        meter.Spend(4);
        meter.Available.ShouldBe(6);
        meter.Advance(1_020);
        meter.Available.ShouldBe(8);
    }

    [Fact]
    public void Advance_LargestFiguresAndLongestSpan_IsFullAndNoMore()
    {
        var meter = Create(QuotaMeter.MaxLimit, QuotaMeter.MaxPeriodTicks, long.MinValue, available: 0);
        meter.Advance(long.MaxValue);
        meter.Available.ShouldBe(QuotaMeter.MaxLimit);
        meter.AvailableMillionths.ShouldBe(0);
    }

    [Fact]
    public void AvailableMillionths_PartOfAToken_IsRoundedDown()
    {
        var meter = Create(limit: 1, periodTicks: 3, now: 0, available: 0);
        meter.Advance(2);
        meter.Available.ShouldBe(0);
        meter.AvailableMillionths.ShouldBe(666_666);
    }

    [Fact]
    public void Create_FromWhatAnotherHad_HasNoMore()
    {
        var meter = Create(limit: 2, periodTicks: 6, now: 0, available: 1, availableMillionths: 666_667);
        meter.Available.ShouldBe(1);
        meter.AvailableMillionths.ShouldBeInRange(666_666, 666_667);
        meter.TicksUntil(2).ShouldBe(1);
    }

    [Fact]
    public void Return_SpentUnderLoad_GivesAllBack()
    {
        var meter = Create(limit: 10, periodTicks: 100, now: 0, available: 10);
        meter.TryTake(8, 0).ShouldBeTrue();
        meter.TryTake(2, 5).ShouldBeTrue();
        meter.TryTake(0, 40).ShouldBeTrue();
        meter.Available.ShouldBe(4);
        meter.Return(2, takenAt: 5);
        meter.Available.ShouldBe(6);
    }

    [Fact]
    public void Return_FullInTheMeantime_GivesNothing()
    {
        var meter = Create(limit: 10, periodTicks: 100, now: 0, available: 10);
        meter.TryTake(1, 0).ShouldBeTrue();
        meter.TryTake(10, 10).ShouldBeTrue();
        meter.Return(1, takenAt: 0);
        meter.Available.ShouldBe(0);
    }

    [Fact]
    public void Return_PartlyFilledBackInTheMeantime_GivesTheRest()
    {
        var meter = Create(limit: 10, periodTicks: 100, now: 0, available: 10);
        meter.TryTake(4, 0).ShouldBeTrue();
        meter.TryTake(9, 30).ShouldBeTrue();
        meter.Return(4, takenAt: 0);
        meter.Available.ShouldBe(1);
        meter.Return(9, takenAt: 30);
        meter.Available.ShouldBe(10);
    }

    [Fact]
    public void Return_OneOfABurstOverManyReadings_GivesItBack()
    {
        var meter = AfterBurst();
        for (var takenAt = 1; takenAt <= 60; takenAt++)
        {
            var clone = meter.Clone();
            clone.Return(1, takenAt);
            clone.Available.ShouldBe(1);
        }
    }

    [Fact]
    public void Return_AllOfABurstOverManyReadings_GivesMostBack()
    {
        var meter = AfterBurst();
        for (var takenAt = 1; takenAt <= 60; takenAt++) meter.Return(1, takenAt);
        meter.Available.ShouldBeInRange(45, 60);
    }

    private protected abstract QuotaMeter Create(long limit, long periodTicks, long now, long available, int availableMillionths = 0);

    private protected abstract MeterModel Model(MeterFigures figures);

    private QuotaMeter AfterBurst()
    {
        var meter = Create(limit: 60, periodTicks: 60_000, now: 0, available: 60);
        for (var now = 1; now <= 60; now++) meter.TryTake(1, now).ShouldBeTrue();
        return meter;
    }

    private QuotaMeter Create(MeterFigures figures) =>
        Create(figures.Limit, figures.PeriodTicks, figures.StartsAt, figures.Available, figures.Millionths);
}

public sealed class TokenBucketTests : FluidMeterTests
{
    private protected override QuotaMeter Create(long limit, long periodTicks, long now, long available, int availableMillionths = 0) =>
        new TokenBucket(limit, fillTicks: periodTicks, now, available, availableMillionths);

    private protected override MeterModel Model(MeterFigures figures) => new FillingModel(figures);
}

public sealed class LeakyBucketTests : FluidMeterTests
{
    private protected override QuotaMeter Create(long limit, long periodTicks, long now, long available, int availableMillionths = 0) =>
        new LeakyBucket(limit, drainTicks: periodTicks, now, available, availableMillionths);

    private protected override MeterModel Model(MeterFigures figures) => new VirtualSchedulingModel(figures);
}
