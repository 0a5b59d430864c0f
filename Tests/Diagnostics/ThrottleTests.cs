using HeartGrains.Diagnostics;

namespace HeartGrains.Tests.Diagnostics;

public sealed class ThrottleTests
{
    private const long Period = 100;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void TryPass_InEachPeriod_LetsSoManyPassAndCountsTheOthers(int limit)
    {
        var throttle = new Throttle(Period, limit);
        for (var call = 0; call < limit; call++)
        {
            throttle.TryPass(1_000, out var count).ShouldBeTrue();
            count.ShouldBe(1);
        }

        for (var call = 0; call < 5; call++) throttle.TryPass(1_000 + Period - 1, out _).ShouldBeFalse();

        throttle.TryPass(1_000 + Period, out var since).ShouldBeTrue();
        since.ShouldBe(6);
    }

    [Fact]
    public async Task TryPass_ManyAtOnce_LetsNoMorePass()
    {
        var throttle = new Throttle(Period, limit: 10);
        var (passed, counted) = (0, 0);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var call = 0; call < 10_000; call++)
            {
                if (!throttle.TryPass(1_000, out var count)) continue;
                Interlocked.Increment(ref passed);
                Interlocked.Add(ref counted, count);
            }
        })));

        passed.ShouldBe(10);
        throttle.TryPass(1_000 + Period, out var rest).ShouldBeTrue();
        (counted + rest).ShouldBe(80_001);
    }
}
