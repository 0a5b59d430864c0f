using HeartGrains.Gateway.Overload;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HeartGrains.Tests.Overload;

public sealed class BodyWaitTests
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

        using (BodyWait.Begin(context)) lane.InFlight.ShouldBe(change);

        lane.InFlight.ShouldBe(0);
    }
}
