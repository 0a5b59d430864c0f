using HeartGrains.Gateway.Overload;

namespace HeartGrains.Tests.Overload;

public sealed class LatencyWindowTests
{
    private readonly LatencyWindow _window = new();

    [Theory]
    [InlineData(0.02)]
    [InlineData(3)]
    [InlineData(250)]
    [InlineData(9_000)]
    public void TakeP95_EvenLatencies_IsAtMostABucketHigh(double longestMillis)
    {
        for (var part = 1; part <= 1_000; part++) _window.Record(TimeSpan.FromMilliseconds(longestMillis * part / 1_000));

        var p95 = _window.TakeP95(leastSamples: 20, lookLimit: 10)!.Value.TotalMilliseconds;

        p95.ShouldBeInRange(longestMillis * 0.95 - 0.001, (longestMillis * 0.95 * 1.07) + 0.001);
    }

    [Fact]
    public void TakeP95_OneInTwentyIsSlow_DoesNotShowIt()
    {
        for (var call = 0; call < 100; call++) _window.Record(TimeSpan.FromMilliseconds(call < 5 ? 1_000 : 10));

        _window.TakeP95(20, 10)!.Value.ShouldBeLessThan(TimeSpan.FromMilliseconds(11));
    }

    [Fact]
    public void TakeP95_TooFew_WaitsForMore()
    {
        for (var call = 0; call < 15; call++) _window.Record(TimeSpan.FromSeconds(1));
        _window.TakeP95(20, 10).ShouldBeNull();

        for (var call = 0; call < 5; call++) _window.Record(TimeSpan.FromSeconds(1));
        _window.TakeP95(20, 10).ShouldNotBeNull();
        _window.TakeP95(20, 10).ShouldBeNull("what was taken is gone");
    }

    [Fact]
    public void TakeP95_TooFewForTooLong_ForgetsThem()
    {
        for (var call = 0; call < 19; call++) _window.Record(TimeSpan.FromSeconds(1));
        for (var look = 0; look < 10; look++) _window.TakeP95(20, 10).ShouldBeNull();

        _window.Record(TimeSpan.FromSeconds(1));
        _window.TakeP95(20, 10).ShouldBeNull();
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1_000_000)]
    public void Record_BeyondItsRange_IsKept(double seconds)
    {
        _window.Record(TimeSpan.FromSeconds(seconds));

        _window.TakeP95(1, 1).ShouldNotBeNull();
    }
}
