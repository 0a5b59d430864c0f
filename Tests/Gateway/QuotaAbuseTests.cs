using HeartGrains.LoadTest.Hearts;
using HeartGrains.LoadTest.Report;
using Orleans.Runtime;

namespace HeartGrains.Tests.Gateway;

/// <summary>A flood of users and targets that nobody ever heard of.</summary>
public sealed class QuotaAbuseTests
{
    private const int Hearts = 20_000;

    private const string Policies = """
        { "Name": "user", "Dimension": "user" },
        { "Name": "target", "Dimension": "target", "TokenLimit": 1000, "TokensPerPeriod": 10 }
        """;

    [Fact]
    public async Task Give_InventedUsersAndTargets_ActivateNoGrainOfTheirQuota()
    {
        await using var server = await QuotaServer.StartAsync(Policies, "--HeartGrains:RateLimits:SliceTableKeys=1000000");
        using var stop = new CancellationTokenSource();
        var load = await HeartLoad.RunAsync(
            new HeartLoadOptions
            {
                Urls = [server.Client.BaseAddress!],
                Duration = TimeSpan.FromMinutes(2),
                Connections = 16,
                Targets = HeartLoadOptions.TargetsLimit,
                Skew = TargetSkew.Uniform,
                Users = HeartLoadOptions.UsersLimit,
            },
            new StopAfter(Hearts, stop), stop.Token);

        load.Succeeded.ShouldBeGreaterThanOrEqualTo(Hearts);
        var activations = await server.Grains.GetGrain<IManagementGrain>(0).GetSimpleGrainStatistics();
        var hearts = Count("HeartGrain");
        var quotas = Count("RateLimitGrain");
        TestContext.Current.TestOutputHelper?.WriteLine($"{load.Succeeded} hearts, {hearts} heart grains, {quotas} grains of quotas");

        // A heart has its target's grain, which tells that the count is one of grains in memory. The quotas' few are of the warm-up.
        hearts.ShouldBeGreaterThan(Hearts / 2);
        quotas.ShouldBeLessThan(50);

        int Count(string grain) => activations.Where(one => one.GrainType.Contains('.' + grain, StringComparison.Ordinal)).Sum(one => one.ActivationCount);
    }

    private sealed class StopAfter(long hearts, CancellationTokenSource stop) : IProgress<HeartLoadProgress>
    {
        public void Report(HeartLoadProgress value)
        {
            if (value.Succeeded >= hearts) stop.Cancel();
        }
    }
}
