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
        var ten = MeterMemory.BytesPerUser(window);
        var hundred = MeterMemory.BytesPerUser(window with { Segments = 100 });

        (hundred - ten).ShouldBeInRange(700, 740);
    }
}
