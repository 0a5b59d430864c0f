using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace HeartGrains.Tests.Cluster;

/// <summary>A silo that hangs with half of the quotas: from the first lost call the policy decides at once, and nobody is told that it was the user.</summary>
public sealed class QuotaOutageTests(QuotaOutageCluster cluster) : IClassFixture<QuotaOutageCluster>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // Much shorter than the seat's lease, and than it takes until the silo is declared dead.
    private static readonly TimeSpan HoldTime = TimeSpan.FromSeconds(4.5);

    private readonly List<TimeSpan> _outageTimes = [];
    private bool _isDown;

    [Fact]
    public async Task Acquire_SiloHeld_PolicyDecidesAtOnceNeverWith429AndIsCounted()
    {
        using var client = new HttpClient { BaseAddress = cluster.Gateways[0], Timeout = TimeSpan.FromSeconds(10) };
        await LocalCluster.UntilAsync(async () => await SeatedAsync(client) && await AllJudgedAsync(client), Patience, "the quotas do not answer");
        var refusedBefore = await DecisionsAsync(client, "user", "outage_refused");
        var admittedBefore = await DecisionsAsync(client, "campaign", "outage_admitted");

        var silo = (await cluster.MembersAsync("silo"))[^1];
        await LocalCluster.SignalAsync(silo.ProcessId, "STOP");
        var refused = 0;
        try
        {
            var held = TimeProvider.System.GetTimestamp();
            while (TimeProvider.System.GetElapsedTime(held) < HoldTime)
            {
                // More than a slice has: the user's grain is asked. Then a user with a slice, and a campaign that has none.
                refused += await AskAsync(client, HttpStatusCode.ServiceUnavailable, new { user_id = Fresh(), tokens = 5 });
                await AskAsync(client, HttpStatusCode.OK, new { user_id = Fresh(), tokens = 1, campaign_id = Fresh() });
            }
        }
        finally
        {
            await LocalCluster.SignalAsync(silo.ProcessId, "CONT");
        }

        var admitted = await DecisionsAsync(client, "campaign", "outage_admitted") - admittedBefore;
        _outageTimes.Sort();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{refused} refused for the outage, {admitted} admitted; of {_outageTimes.Count} answers after the first outage the median took {_outageTimes[_outageTimes.Count / 2].TotalMilliseconds:0.0} ms, "
            + $"the slowest tenth {_outageTimes[_outageTimes.Count * 9 / 10].TotalMilliseconds:0.0}, the slowest {_outageTimes[^1].TotalMilliseconds:0.0}");

        refused.ShouldBeGreaterThan(0);
        admitted.ShouldBeGreaterThan(0);
        _isDown.ShouldBeTrue();
        _outageTimes[^1].ShouldBeLessThan(TimeSpan.FromSeconds(1));
        (await DecisionsAsync(client, "user", "outage_refused") - refusedBefore).ShouldBe(refused);
        await HealAsync(client, silo);
    }

    /// <summary>Returns 1 when the quota could not be asked and the policy refused.</summary>
    private async Task<int> AskAsync(HttpClient client, HttpStatusCode onOutage, object body)
    {
        var sent = TimeProvider.System.GetTimestamp();
        using var answer = await client.PostAsJsonAsync("/api/v1/quota/acquire", body);
        Note(TimeProvider.System.GetElapsedTime(sent));
        if (answer.StatusCode == HttpStatusCode.OK) return 0;

        answer.StatusCode.ShouldBe(onOutage, await answer.Content.ReadAsStringAsync());
        (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("code").GetString().ShouldBe("quota-unavailable");
        answer.Headers.RetryAfter.ShouldNotBeNull();
        return 1;
    }

    /// <summary>Until the first call is lost, slow is not yet down: what counts comes after it.</summary>
    private void Note(TimeSpan time)
    {
        if (!_isDown && time > TimeSpan.FromSeconds(1))
        {
            _isDown = true;
            _outageTimes.Clear();
            return;
        }

        _outageTimes.Add(time);
    }

    /// <summary>The silo may have been taken for dead after all; then it ends itself, and another takes its place.</summary>
    private async Task HealAsync(HttpClient client, LocalCluster.Member silo)
    {
        await LocalCluster.UntilAsync(async () =>
        {
            if ((await cluster.MembersAsync("silo")).All(member => member.ProcessId != silo.ProcessId)) await cluster.RunAsync("start", "silo", $"{silo.Number}");
            return await AllJudgedAsync(client);
        }, Patience, "the quotas do not answer again");
    }

    private static async Task<bool> AllJudgedAsync(HttpClient client)
    {
        for (var call = 0; call < 10; call++)
        {
            using var answer = await client.PostAsJsonAsync("/api/v1/quota/acquire", new { user_id = Fresh(), tokens = 5, campaign_id = Fresh() });
            if (answer.StatusCode != HttpStatusCode.OK) return false;
        }

        return true;
    }

    private static async Task<bool> SeatedAsync(HttpClient client) =>
        (await client.GetStringAsync("/metrics")).Contains("\nheartgrains_quota_seat 1\n", StringComparison.Ordinal);

    private static async Task<int> DecisionsAsync(HttpClient client, string policy, string decision)
    {
        var name = $"heartgrains_quota_decisions_total{{policy=\"{policy}\",decision=\"{decision}\"}} ";
        var line = (await client.GetStringAsync("/metrics")).Split('\n').SingleOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        return line is null ? 0 : int.Parse(line[name.Length..], CultureInfo.InvariantCulture);
    }

    private static string Fresh() => $"{Guid.NewGuid():N}";
}

/// <summary>Two silos and a gateway. Users are refused when their quota cannot be asked, and campaigns, which have no slices, are let pass.</summary>
public sealed class QuotaOutageCluster() : LocalCluster(
    silos: 2,
    gateways: 1,
    "RateLimits:Policies:0:Name=user",
    "RateLimits:Policies:0:Dimension=user",
    "RateLimits:Policies:1:Name=campaign",
    "RateLimits:Policies:1:Dimension=campaign",
    "RateLimits:Policies:1:SliceTokens=0",
    "RateLimits:Policies:1:OnOutage=admit",

    // It follows the machine's load, and would refuse for it.
    "Overload:Enabled=false");
