using HeartGrains.LoadTest.Hearts;

namespace HeartGrains.Tests.LoadTest;

public sealed class HeartPickerTests
{
    [Theory]
    [InlineData(TargetSkew.Zipf, 0.075)]
    [InlineData(TargetSkew.Uniform, 0.0001)]
    public void Next_ManyHearts_StayInRangeAndChooseTheHottestAsOftenAsTheSkewSays(TargetSkew skew, double share)
    {
        var picker = new HeartPicker(seed: 1, targets: 10_000, users: 100, skew);
        var hottest = 0;
        for (var i = 0; i < 100_000; i++)
        {
            var (target, user) = picker.Next();
            target.ShouldBeInRange(0, 9_999);
            user.ShouldBeInRange(0, 99);
            if (target == 0) hottest++;
        }

        // Log-uniform: ranks 1 to 2 are log(2)/log(10,000) of all.
        (hottest / 100_000.0).ShouldBe(share, tolerance: 0.005);
    }

    [Fact]
    public void Next_SameSeed_SameHearts()
    {
        var (one, other) = (new HeartPicker(3, 1000, 1000, TargetSkew.Zipf), new HeartPicker(3, 1000, 1000, TargetSkew.Zipf));
        for (var i = 0; i < 100; i++) one.Next().ShouldBe(other.Next());
    }
}
