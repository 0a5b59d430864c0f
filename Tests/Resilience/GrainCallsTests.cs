using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Resilience;
using HeartGrains.RateLimiting;
using HeartGrains.Tests.Infrastructure;
using HeartGrains.Tests.RateLimiting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Resilience;

public class GrainCallsTests
{
    /// <summary>A gateway that has just found its silos does not know yet which grains they host.</summary>
    [Fact]
    public async Task Call_GrainIsHostedByNobodyYet_IsUnavailableAndLoggedOnceASecond()
    {
        var (time, log) = (new FakeTimeProvider(), new LogLines());
        using var logging = new LoggerFactory([log]);
        using var calls = GrainCallsOver.Grains(
            GrainFactoryDouble.Of(static () => throw new ArgumentException("Nobody hosts it.")), time, logging.CreateLogger<GrainCalls>());

        for (var call = 0; call < 100; call++) await AskAsync();
        time.Advance(TimeSpan.FromSeconds(1));
        await AskAsync();

        log.Lines.ShouldBe(
        [
            "1 times since this was last told no silo hosted the grain of a call yet: Nobody hosts it. ",
            "100 times since this was last told no silo hosted the grain of a call yet: Nobody hosts it. ",
        ]);

        async Task AskAsync() => (await calls.CallAsync(new QuotaAsk(QuotaDimension.User, "u"))).ShouldBe(CallStatus.Unavailable);
    }
}
