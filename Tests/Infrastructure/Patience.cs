using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;

namespace HeartGrains.Tests.Infrastructure;

/// <summary>
/// What a test's machine may take, which runs several servers on each core: only tests of time limits set short ones.
/// </summary>
internal static class Patience
{
    /// <summary>Settings of a gateway, as switches; those that follow win.</summary>
    public static readonly string[] Switches =
    [
        "--HeartGrains:Resilience:CallTimeout=00:00:30", "--HeartGrains:Resilience:QuotaTimeout=00:00:10",
        "--HeartGrains:Breakers:Hearts:P95=00:01:00", "--HeartGrains:Breakers:Ledger:P95=00:01:00", "--HeartGrains:Breakers:Quota:P95=00:01:00",
        "--HeartGrains:Ledger:AppendDeadline=00:00:10", "--HeartGrains:Ledger:StallTime=00:00:10", "--HeartGrains:Ledger:CommandTimeout=00:00:30",
    ];

    /// <summary>Calls between grains wait as long.</summary>
    public static void AddPatience(this IServiceCollection services) =>
        services.PostConfigure<SiloMessagingOptions>(static messaging => messaging.ResponseTimeout = TimeSpan.FromSeconds(30));
}
