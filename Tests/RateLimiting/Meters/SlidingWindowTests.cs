using CsCheck;
using HeartGrains.RateLimiting.Meters;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting.Meters;

public sealed class SlidingWindowTests
{
    [Fact]
    public void TryTake_RandomSchedule_AgreesWithReferenceModel() =>
        Gen.Select(MeterSchedule.Figures, MeterSchedule.Steps).Sample(
            (figures, steps) => MeterSchedule.ShouldAgree(Create(figures), new WindowModel(figures), figures, steps), iter: 1_000);

    [Fact]
    public void TryTake_AnySchedule_NeverAdmitsMoreThanLimitInAnyWindow()
    {
        long admitted = 0;
        Gen.Select(MeterSchedule.Figures, MeterSchedule.Steps).Sample(
            (figures, steps) =>
            {
                var model = new WindowModel(figures);
                MeterSchedule.ShouldKeepTheBound(Create(figures), model, figures, steps);
                Interlocked.Add(ref admitted, model.Spent.Count(spending => spending.Tokens > 0));
            },
            iter: 1_000);
        admitted.ShouldBeGreaterThan(2_000);
    }

    [Fact]
    public void TryTake_SpentAtTheEndOfASegment_CountsForAWholeWindow()
    {
        var meter = new SlidingWindow(limit: 1, windowTicks: 100, segments: 4, now: 0, available: 1);
        meter.TryTake(1, 24).ShouldBeTrue();
        meter.TryTake(1, 100).ShouldBeFalse();
        meter.TryTake(1, 124).ShouldBeFalse();
        meter.TryTake(1, 125).ShouldBeTrue();
    }

    [Fact]
    public void TryTake_SegmentsThatDoNotDivideTheWindow_AreRoundedUp()
    {
        var meter = new SlidingWindow(limit: 1, windowTicks: 10, segments: 3, now: 0, available: 1);
        meter.TryTake(1, 3).ShouldBeTrue();
        meter.TicksUntil(1).ShouldBe(13);
        meter.TryTake(1, 15).ShouldBeFalse();
        meter.TryTake(1, 16).ShouldBeTrue();
    }

    [Fact]
    public void TryTake_ClockStepsBack_CountsInTheNewestSegment()
    {
        var meter = new SlidingWindow(limit: 1, windowTicks: 100, segments: 1, now: 0, available: 1);
        meter.Advance(250);
        meter.TryTake(1, 50).ShouldBeTrue();
        meter.TryTake(1, 399).ShouldBeFalse();
        meter.TryTake(1, 400).ShouldBeTrue();
    }

    [Fact]
    public void TicksUntil_SpentInSeveralSegments_WaitsForAsManyAsAreNeeded()
    {
        var meter = new SlidingWindow(limit: 3, windowTicks: 30, segments: 3, now: 0, available: 3);
        for (var now = 0; now < 30; now += 10) meter.TryTake(1, now).ShouldBeTrue();
        meter.TicksUntil(1).ShouldBe(20);
        meter.TicksUntil(2).ShouldBe(30);
        meter.TicksUntil(3).ShouldBe(40);
    }

    [Fact]
    public void Hold_LongerThanAWindow_CountsUntilAWindowAfterItIsSpent()
    {
        var meter = new SlidingWindow(limit: 3, windowTicks: 30, segments: 3, now: 0, available: 3);
        meter.Hold(2);
        meter.Advance(1_001);
        meter.Available.ShouldBe(1);
        meter.Spend(2);
        meter.TicksUntil(3).ShouldBe(39);
    }

    [Fact]
    public void Return_SegmentStillCounts_GivesBack()
    {
        var meter = new SlidingWindow(limit: 3, windowTicks: 30, segments: 3, now: 0, available: 3);
        meter.TryTake(3, 5).ShouldBeTrue();
        meter.Advance(39);
        meter.Return(2, takenAt: 5);
        meter.Available.ShouldBe(2);
    }

    [Fact]
    public void Return_SegmentHasLeft_GivesNothing()
    {
        var meter = new SlidingWindow(limit: 3, windowTicks: 30, segments: 3, now: 0, available: 3);
        meter.TryTake(3, 5).ShouldBeTrue();
        meter.TryTake(3, 45).ShouldBeTrue();
        meter.Return(3, takenAt: 5);
        meter.Available.ShouldBe(0);
    }

    private static SlidingWindow Create(MeterFigures figures) =>
        new(figures.Limit, figures.PeriodTicks, figures.Segments, figures.StartsAt, figures.Available);
}
