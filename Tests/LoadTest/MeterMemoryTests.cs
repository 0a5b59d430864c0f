using HeartGrains.LoadTest.Limiters;
using HeartGrains.Tests.Cluster;

namespace HeartGrains.Tests.LoadTest;

/// <summary>The heap is measured, so nobody else may use it.</summary>
[Collection(nameof(AloneCollection))]
public sealed class MeterMemoryTests
{
    [Fact]
    public void BytesPerUser_MoreSegments_TakeEightEach()
    {
        var window = LimiterCase.All(perSecond: 100)[1].Policy;

        // What earlier tests left may still be at work.
        double[] differences = [.. Enumerable.Range(0, 5).Select(_ => MeterMemory.BytesPerUser(window with { Segments = 100 }) - MeterMemory.BytesPerUser(window))];

        differences.Order().ElementAt(2).ShouldBeInRange(700, 740);
    }
}
