using HeartGrains.LoadTest.LocalLimiter;
using HeartGrains.Tests.Cluster;

namespace HeartGrains.Tests.LoadTest;

/// <summary>The hammer on a real clock: beside other tests threads come late to it.</summary>
[Collection(nameof(AloneCollection))]
public sealed class LimiterHammerTests
{
    [Theory]
    [InlineData(1_000_000, 1_000_000)]
    [InlineData(5_000, 10_000)]
    [InlineData(100, 100)]
    public void Run_EightThreads_GivesExactlyWhatIsDue(int tokenLimit, int tokensPerSecond)
    {
        var report = LimiterHammer.Run(threads: 8, tokenLimit, tokensPerSecond, TimeSpan.FromMilliseconds(300));
        report.IsExact.ShouldBeTrue(report.ToString());
    }
}
