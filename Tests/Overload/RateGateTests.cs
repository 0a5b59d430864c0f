using HeartGrains.Gateway.Overload;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Overload;

public sealed class RateGateTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void TryPass_SteadyCalls_PassAtTheRate()
    {
        var gate = Gate(perSecond: 100, burstMillis: 100);
        var passed = 0;
        for (var millis = 0; millis < 10_000; millis++)
        {
            if (gate.TryPass()) passed++;
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        passed.ShouldBeInRange(1_000, 1_011);
    }

    [Fact]
    public void TryPass_AfterALongPause_PassesOneBurst()
    {
        var gate = Gate(perSecond: 100, burstMillis: 100);
        _time.Advance(TimeSpan.FromHours(1));

        Passed(gate, calls: 1_000).ShouldBe(11);
    }

    [Fact]
    public void Set_LowerRate_CountsFromTheNextCall()
    {
        var gate = Gate(perSecond: 1_000, burstMillis: 100);
        gate.Set(10, TimeSpan.FromMilliseconds(100));
        _time.Advance(TimeSpan.FromMilliseconds(100));

        Passed(gate, calls: 1_000).ShouldBe(2);
    }

    [Fact]
    public void TryPass_ManyThreads_PassesNoneTwice()
    {
        var gate = Gate(perSecond: 1_000, burstMillis: 1_000);
        _time.Advance(TimeSpan.FromHours(1));
        var passed = 0;

        Parallel.For(0, 20_000, _ =>
        {
            if (gate.TryPass()) Interlocked.Increment(ref passed);
        });

        passed.ShouldBe(1_001);
    }

    private RateGate Gate(double perSecond, double burstMillis)
    {
        var gate = new RateGate(_time);
        gate.Set(perSecond, TimeSpan.FromMilliseconds(burstMillis));
        return gate;
    }

    private static int Passed(RateGate gate, int calls) => Enumerable.Range(0, calls).Count(_ => gate.TryPass());
}
