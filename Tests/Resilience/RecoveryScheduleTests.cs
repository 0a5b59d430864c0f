using HeartGrains.Gateway.Resilience;

namespace HeartGrains.Tests.Resilience;

public sealed class RecoveryScheduleTests
{
    private const double NoJitter = 0.5;

    private static readonly ResilienceOptions Settings = new();
    private static readonly RecoverySchedule Schedule = new(Settings.RetryDelay, Settings.MaxRetryDelay);

    [Theory]
    [InlineData(0, 100)]
    [InlineData(1, 200)]
    [InlineData(2, 400)]
    [InlineData(3, 800)]
    [InlineData(4, 1_600)]
    [InlineData(5, 3_200)]
    [InlineData(6, 5_000)]
    [InlineData(7, 5_000)]
    [InlineData(1_000, 5_000)]
    public void DelayAfter_EachAttempt_DoublesUpToTheCap(int attempt, int millis) =>
        Schedule.DelayAfter(attempt, NoJitter).ShouldBe(TimeSpan.FromMilliseconds(millis));

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(20)]
    public void DelayAfter_Chance_SpreadsByAFifthBothWays(int attempt)
    {
        var middle = Schedule.DelayAfter(attempt, NoJitter);
        Schedule.DelayAfter(attempt, 0).ShouldBe(0.8 * middle, TimeSpan.FromTicks(1));
        Schedule.DelayAfter(attempt, 1).ShouldBe(1.2 * middle, TimeSpan.FromTicks(1));
    }

    [Fact]
    public void AsksAfter_AttemptsInARow_AsksBeforeEveryFifth() =>
        Enumerable.Range(0, 16).Where(RecoverySchedule.AsksAfter).Select(static failed => failed + 2).ShouldBe([5, 10, 15]);

    [Fact]
    public void ComeBackSeconds_InTurn_SpreadsThoseWhoWereGivenUp()
    {
        Enumerable.Range(1, 6).Select(RecoverySchedule.ComeBackSeconds).ShouldBe([2, 3, 2, 2, 3, 2]);
        RecoverySchedule.ComeBackSeconds(int.MinValue).ShouldBeInRange(2, 3);
    }
}
