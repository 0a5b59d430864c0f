using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;

namespace HeartGrains.Tests.Infrastructure;

/// <summary>
/// What a test's gateway asks of a machine that it shares with hundreds of others: patience, where time is not what is tested, and tables for hundreds of users instead of a million, which the collector would have to
/// walk around for as long as the process lives.
/// </summary>
internal static class SharedMachine
{
    /// <summary>Settings of a gateway, as switches; those that follow win.</summary>
    public static readonly string[] Switches =
    [
        "--HeartGrains:Resilience:CallTimeout=00:00:30", "--HeartGrains:Resilience:QuotaTimeout=00:00:10",
        "--HeartGrains:Breakers:Hearts:P95=00:01:00", "--HeartGrains:Breakers:Ledger:P95=00:01:00", "--HeartGrains:Breakers:Quota:P95=00:01:00",
        "--HeartGrains:Ledger:AppendDeadline=00:00:10", "--HeartGrains:Ledger:StallTime=00:00:10", "--HeartGrains:Ledger:CommandTimeout=00:00:30",
        "--HeartGrains:RateLimits:SliceTableKeys=10000", "--HeartGrains:LocalLimits:Address:TableCells=16384", "--HeartGrains:Resilience:LastKnownTargets=1000",
    ];

    /// <summary>Calls between grains wait as long; where a thousand grains are is kept, not a million.</summary>
    public static void ShareMachine(this IServiceCollection services)
    {
        services.PostConfigure<SiloMessagingOptions>(static messaging => messaging.ResponseTimeout = TimeSpan.FromSeconds(30));
        services.PostConfigure<GrainDirectoryOptions>(static directory => directory.CacheSize = 1_000);
    }
}
