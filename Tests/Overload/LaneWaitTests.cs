using HeartGrains.Gateway.Overload;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Overload;

public sealed class LaneWaitTests
{
    [Theory]
    [InlineData("/api/v1/hearts", -1)]
    [InlineData("/oh/blog.example.com/post", 0)]
    [InlineData("/applause/update-claps", 0)]
    public void Begin_Body_MakesRoomOnlyInTheLaneItsCallIsIn(string path, int change)
    {
        var guard = new OverloadGuard(Options.Create(new OverloadOptions()), TimeProvider.System, new OverloadMetrics());
        using var services = new ServiceCollection().AddSingleton(guard).AddSingleton(TimeProvider.System).BuildServiceProvider();
        var context = new DefaultHttpContext { RequestServices = services };
        (context.Request.Method, context.Request.Path) = ("POST", path);
        var lane = guard.LaneOf(context.Request);

        using (LaneWait.Begin(context)) lane.InFlight.ShouldBe(change);

        lane.InFlight.ShouldBe(0);
    }

    [Fact]
    public void Of_SeveralWaits_IsTheirSum()
    {
        var time = new FakeTimeProvider();
        var guard = new OverloadGuard(Options.Create(new OverloadOptions()), time, new OverloadMetrics());
        using var services = new ServiceCollection().AddSingleton(guard).AddSingleton<TimeProvider>(time).BuildServiceProvider();
        var context = new DefaultHttpContext { RequestServices = services };
        (context.Request.Method, context.Request.Path) = ("POST", "/api/v1/identity/merge");
        foreach (var seconds in (int[])[2, 3])
        {
            using var wait = LaneWait.Begin(context);
            time.Advance(TimeSpan.FromSeconds(seconds));
        }

        LaneWait.Of(context).ShouldBe(TimeSpan.FromSeconds(5));
    }
}
