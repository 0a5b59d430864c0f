using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Resilience;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Orleans;

namespace HeartGrains.Tests.RateLimiting;

/// <summary>A gateway's pipeline over grains at hand, with the settings' defaults but for a quota's patience.</summary>
internal static class GrainCallsOver
{
    public static GrainCalls Grains(IGrainFactory grains, TimeProvider time, ILogger<GrainCalls>? logger = null)
    {
        var metrics = new GatewayMetrics();
        var recovery = new RecoveryMetrics();
        return new GrainCalls(
            new GrainAddresses(grains), ClusterConnection.Embedded(metrics), Options.Create(new ResilienceOptions { QuotaTimeout = TimeSpan.FromMilliseconds(45) }),
            new Breakers(Options.Create(new BreakersOptions()), time, NullLogger<Breakers>.Instance), new SiloProbe(new SiloDirectory(), recovery, time), recovery, time,
            logger ?? NullLogger<GrainCalls>.Instance);
    }
}
