using HeartGrains.RateLimiting.Meters;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting.Meters;

/// <summary>What holds for every algorithm.</summary>
public sealed class QuotaMeterTests
{
    public static TheoryData<Type> Algorithms { get; } = [typeof(TokenBucket), typeof(LeakyBucket), typeof(SlidingWindow)];

    [Theory, MemberData(nameof(Algorithms))]
    public void AnyMethod_TenThousandCalls_AllocatesNothing(Type algorithm)
    {
        var meter = Create(algorithm, limit: 50, available: 50);
        CallEverything(meter, times: 100);
        var before = GC.GetAllocatedBytesForCurrentThread();
        CallEverything(meter, times: 10_000);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Theory, MemberData(nameof(Algorithms))]
    public void Create_PartAvailable_CountsTheRestAsSpentNow(Type algorithm)
    {
        var meter = Create(algorithm, limit: 5, available: 2);
        (meter.Limit, meter.Available, meter.Held, meter.Clock).ShouldBe((5, 2, 0, 1_000));
        meter.Return(3, takenAt: 1_000);
        meter.Available.ShouldBe(5);
    }

    [Theory, MemberData(nameof(Algorithms))]
    public void Create_MoreThanTheLimitAvailable_HasTheLimit(Type algorithm)
    {
        var meter = Create(algorithm, limit: 5, available: 9);
        (meter.Available, meter.AvailableMillionths).ShouldBe((5, 0));
    }

    [Theory, MemberData(nameof(Algorithms))]
    public void Create_FiguresOutOfRange_Throws(Type algorithm)
    {
        Should.Throw<ArgumentOutOfRangeException>(() => Create(algorithm, limit: -1, available: 0));
        Should.Throw<ArgumentOutOfRangeException>(() => Create(algorithm, QuotaMeter.MaxLimit + 1, available: 0));
        Should.Throw<ArgumentOutOfRangeException>(() => Create(algorithm, limit: 1, available: -QuotaMeter.MaxLimit - 1));
        Should.Throw<ArgumentOutOfRangeException>(() => Create(algorithm, limit: 1, available: 1, periodTicks: 0));
        Should.Throw<ArgumentOutOfRangeException>(() => Create(algorithm, limit: 1, available: 1, QuotaMeter.MaxPeriodTicks + 1));
    }

    [Fact]
    public void Create_SegmentsOutOfRange_Throws()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => new SlidingWindow(1, 1, segments: 0, now: 0, available: 1));
        Should.Throw<ArgumentOutOfRangeException>(() => new SlidingWindow(1, 1, segments: 101, now: 0, available: 1));
    }

    [Theory, MemberData(nameof(Algorithms))]
    public void TryTake_LimitOfZero_AdmitsNothingEver(Type algorithm)
    {
        var meter = Create(algorithm, limit: 0, available: 0);
        meter.TryTake(1, long.MaxValue).ShouldBeFalse();
        meter.TryTake(0, long.MaxValue).ShouldBeTrue();
        meter.AvailableMillionths.ShouldBe(0);
        meter.TicksUntil(1).ShouldBe(long.MaxValue);
    }

    [Theory, MemberData(nameof(Algorithms))]
    public void TryTake_Refused_TakesNothing(Type algorithm)
    {
        var meter = Create(algorithm, limit: 5, available: 5);
        meter.TryTake(6, 1_000).ShouldBeFalse();
        meter.TryTake(5, 1_000).ShouldBeTrue();
        meter.TryTake(1, 1_000).ShouldBeFalse();
    }

    [Theory, MemberData(nameof(Algorithms))]
    public void Advance_ReadingFromBefore_ChangesNothing(Type algorithm)
    {
        var meter = Create(algorithm, limit: 5, available: 0);
        meter.Advance(long.MinValue);
        (meter.Available, meter.Clock).ShouldBe((0, 1_000));
        meter.Advance(1_099);
        meter.Available.ShouldBeLessThan(5);
    }

    [Theory, MemberData(nameof(Algorithms))]
    public void Hold_SpendOrRelease_MovesTokens(Type algorithm)
    {
        var meter = Create(algorithm, limit: 5, available: 5);
        meter.Hold(4);
        (meter.Available, meter.Held).ShouldBe((1, 4));
        meter.Spend(1);
        (meter.Available, meter.Held).ShouldBe((1, 3));
        meter.Release(3);
        (meter.Available, meter.Held).ShouldBe((4, 0));
    }

    [Theory, MemberData(nameof(Algorithms))]
    public void Hold_SpendOrReleaseOrReturn_MoreThanThereIs_Throws(Type algorithm)
    {
        var meter = Create(algorithm, limit: 5, available: 3);
        meter.Hold(1);
        Should.Throw<ArgumentOutOfRangeException>(() => meter.Hold(3));
        Should.Throw<ArgumentOutOfRangeException>(() => meter.Spend(2));
        Should.Throw<ArgumentOutOfRangeException>(() => meter.Release(2));
        Should.Throw<ArgumentOutOfRangeException>(() => meter.Return(1, takenAt: 1_001));
        (meter.Available, meter.Held).ShouldBe((2, 1));
    }

    [Theory, MemberData(nameof(Algorithms))]
    public void AnyMethod_LessThanNone_Throws(Type algorithm)
    {
        var meter = Create(algorithm, limit: 5, available: 3);
        Action<long>[] methods =
        [
            meter.Hold, meter.Spend, meter.Release, tokens => meter.Return(tokens, 1_000),
            tokens => meter.TryTake(tokens, 1_000), tokens => meter.TicksUntil(tokens),
        ];
        foreach (var method in methods) Should.Throw<ArgumentOutOfRangeException>(() => method(-1));
    }

    [Theory, MemberData(nameof(Algorithms))]
    public void Return_SpentBeforeTheMeterWasMade_GivesNothing(Type algorithm)
    {
        var meter = Create(algorithm, limit: 5, available: 3);
        meter.Return(2, takenAt: 999);
        meter.Available.ShouldBe(3);
    }

    [Theory, MemberData(nameof(Algorithms))]
    public void TicksUntil_WhatIsHeldLeavesNoRoom_IsNever(Type algorithm)
    {
        var meter = Create(algorithm, limit: 5, available: 5);
        meter.Hold(2);
        meter.TicksUntil(3).ShouldBe(0);
        meter.TicksUntil(4).ShouldBe(long.MaxValue);
    }

    [Theory, MemberData(nameof(Algorithms))]
    public void Clone_UsedUp_LeavesTheOriginal(Type algorithm)
    {
        var meter = Create(algorithm, limit: 5, available: 5);
        meter.TryTake(2, 1_000).ShouldBeTrue();
        var clone = meter.Clone();
        clone.TryTake(3, 1_001).ShouldBeTrue();
        clone.Return(2, takenAt: 1_000);
        meter.Hold(3);
        meter.Return(2, takenAt: 1_000);
        (meter.Available, meter.Held, meter.Clock).ShouldBe((2, 3, 1_000));
        (clone.Held, clone.Clock).ShouldBe((0, 1_001));
    }

    private static void CallEverything(QuotaMeter meter, int times)
    {
        for (var i = 0; i < times; i++)
        {
            meter.TryTake(3, meter.Clock + (i % 7));
            meter.Hold(meter.Available);
            meter.Spend(meter.Held / 2);
            meter.Return(1, meter.Clock);
            meter.Advance(meter.Clock + 1 + meter.AvailableMillionths % 2);
            meter.Release(meter.Held);
            meter.TicksUntil(20);
        }
    }

    private static QuotaMeter Create(Type algorithm, long limit, long available, long periodTicks = 100) =>
        algorithm == typeof(SlidingWindow) ? new SlidingWindow(limit, periodTicks, segments: 4, now: 1_000, available)
        : algorithm == typeof(LeakyBucket) ? new LeakyBucket(limit, periodTicks, now: 1_000, available)
        : new TokenBucket(limit, periodTicks, now: 1_000, available);
}
