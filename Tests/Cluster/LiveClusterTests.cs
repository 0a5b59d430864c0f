using System.Globalization;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using HeartGrains.Tests.Live;

namespace HeartGrains.Tests.Cluster;

/// <summary>Watching over a real cluster, in calm weather and while processes die.</summary>
[Collection(nameof(ClusterFixture))]
public sealed class LiveClusterTests(ClusterFixture cluster) : IDisposable
{
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    // Hearts may flow again only when the ten seconds are nearly over on a machine that runs everything else too; from then on it may take as long.
    private static readonly TimeSpan MachinePatience = TimeSpan.FromSeconds(10);

    private readonly string _prefix = $"live-{Guid.NewGuid():N}-";
    private int _users;

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task Heart_GivenThroughOneGateway_IsSeenByThoseOfTheOther()
    {
        var target = _prefix + "post";
        await using var client = await LiveClient.WatchAsync(cluster.Gateways[1], target);
        await client.UntilCountAsync(target, 0);

        await GiveAsync(cluster.Gateways[0], target);
        await client.UntilCountAsync(target, 1, TimeSpan.FromSeconds(2));
        for (var count = 2; count <= 30; count++) await GiveAsync(cluster.Gateways[count % 2], target);
        await client.UntilCountAsync(target, 30, TimeSpan.FromSeconds(2));
        client.ShouldNeverHaveGoneBack();
    }

    /// <summary>
    /// Many targets, so that every silo has some. Hearts go on at both gateways; each of the killed silo's targets is seen to change again within ten seconds, of the kill or of the first heart after it, and in the end every count is right.
    /// </summary>
    [Fact]
    public async Task SiloKilled_UpdatesResumeWithinTenSecondsAndTheLastCountIsRight()
    {
        var targets = Enumerable.Range(0, 24).Select(number => $"{_prefix}{number}").ToArray();
        var idle = await ActivationsAsync();
        await using var client = await LiveClient.WatchAsync(cluster.Gateways[1], targets);
        await LiveClient.UntilAsync(() => client.Updates.Select(static update => update.TargetId).Distinct().Count() == targets.Length, "not all are told");
        using var stop = new CancellationTokenSource();
        var given = new ConcurrentDictionary<string, int>();
        var load = LoadAsync(cluster.Gateways[0], targets, given, stop.Token);
        await LiveClient.UntilAsync(() => targets.All(target => client.Last(target)!.Count > 0), "not all change");

        // The one that has most of them.
        var (silo, had) = (await ActivationsAsync()).Select(now => (now.Key, Had: now.Value - idle[now.Key])).MaxBy(static silo => silo.Had);
        had.ShouldBeGreaterThanOrEqualTo(targets.Length / 6.0);
        await cluster.RunAsync("kill", "silo", $"{silo}");
        var killed = TimeProvider.System.GetTimestamp();
        try
        {
            // Of what is committed from now on something must be seen of each target in time. How soon a heart can be given again is asked elsewhere.
            var (before, seen) = (new Dictionary<string, int>(given), targets.ToDictionary(static target => target, target => client.Last(target)!.Count));
            await LiveClient.UntilAsync(() => targets.All(target => given[target] > before[target]), "no hearts are given", TimeSpan.FromSeconds(40));
            var left = TimeSpan.FromSeconds(10) - TimeProvider.System.GetElapsedTime(killed);
            await LiveClient.UntilAsync(
                () => targets.All(target => client.Last(target)!.Count > seen[target]),
                $"updates have not resumed\n{cluster.Complaints()}", left > MachinePatience ? left : MachinePatience);
            TestContext.Current.SendDiagnosticMessage($"Silo {silo} had {had} of them. All were seen to change again after {TimeProvider.System.GetElapsedTime(killed).TotalSeconds:0.0} s.");
        }
        finally
        {
            await stop.CancelAsync();
            await load;
            await cluster.RunAsync("start", "silo", $"{silo}");
        }

        await AllRightAsync(client, given, cluster.Gateways[0]);
        client.Errors.ShouldBeEmpty();
        client.IsOver.ShouldBeFalse();
        client.ShouldNeverHaveGoneBack();
    }

    [Fact]
    public async Task GatewayKilled_AClientThatComesBackWithSinceMissesNoLastCount()
    {
        var targets = Enumerable.Range(0, 8).Select(number => $"{_prefix}{number}").ToArray();
        await using var first = await LiveClient.WatchAsync(cluster.Gateways[1], targets);
        foreach (var target in targets) await GiveAsync(cluster.Gateways[0], target);
        foreach (var target in targets) await first.UntilCountAsync(target, 1);

        await cluster.RunAsync("kill", "gateway", "2");
        (await first.UntilClosedAsync()).Code.ShouldBe(1006);
        try
        {
            foreach (var target in targets[..4]) await GiveAsync(cluster.Gateways[0], target);
            await using var second = await LiveClient.ConnectAsync(cluster.Gateways[0]);
            await second.SendAsync(new { subscribe = targets, since = targets.ToDictionary(static target => target, target => first.Last(target)!.Version) });
            foreach (var target in targets[..4]) await second.UntilCountAsync(target, 2);
            await GiveAsync(cluster.Gateways[0], targets[7]);
            await second.UntilCountAsync(targets[7], 2);

            // Those that had not changed were not told again.
            second.Updates.Select(static update => update.TargetId).Order().ShouldBe([.. targets[..4], targets[7]]);
            second.ShouldNeverHaveGoneBack();
        }
        finally
        {
            await cluster.RunAsync("start", "gateway", "2");
        }
    }

    /// <summary>Targets in the memory of each silo.</summary>
    private async Task<Dictionary<int, double>> ActivationsAsync()
    {
        const string Metric = "heartgrains_activations ";
        var activations = new Dictionary<int, double>();
        foreach (var silo in await cluster.MembersAsync("silo"))
        {
            var metrics = await _http.GetStringAsync(new Uri(silo.Url, "/metrics"));
            activations[silo.Number] = double.Parse(metrics.Split('\n').Single(static line => line.StartsWith(Metric, StringComparison.Ordinal))[Metric.Length..], CultureInfo.InvariantCulture);
        }

        return activations;
    }

    private async Task LoadAsync(Uri gateway, string[] targets, ConcurrentDictionary<string, int> given, CancellationToken stop)
    {
        await Task.WhenAll(targets.Select(async target =>
        {
            given[target] = 0;
            while (!stop.IsCancellationRequested)
            {
                // Made again by the same user until it is answered: what is unknown is not left open.
                var user = Interlocked.Increment(ref _users);
                while (await TryGiveAsync(gateway, target, user) is not (HttpStatusCode.Created or HttpStatusCode.OK))
                    await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, CancellationToken.None);
                given[target]++;
                await Task.Delay(TimeSpan.FromMilliseconds(150), TimeProvider.System, CancellationToken.None);
            }
        }));
    }

    private async Task AllRightAsync(LiveClient client, IReadOnlyDictionary<string, int> given, Uri gateway)
    {
        foreach (var (target, count) in given)
        {
            await client.UntilCountAsync(target, count, TimeSpan.FromSeconds(20));
            var state = await _http.GetFromJsonAsync<System.Text.Json.JsonElement>(new Uri(gateway, $"/api/v1/hearts?target_id={target}"));
            state.GetProperty("count").GetInt64().ShouldBe(count);
            state.GetProperty("version").GetInt64().ShouldBe(client.Last(target)!.Version);
        }
    }

    private async Task GiveAsync(Uri gateway, string target)
    {
        var user = Interlocked.Increment(ref _users);
        await LocalCluster.UntilAsync(
            async () => await TryGiveAsync(gateway, target, user) is HttpStatusCode.Created or HttpStatusCode.OK, TimeSpan.FromSeconds(15), "the heart is not given");
    }

    private async Task<HttpStatusCode> TryGiveAsync(Uri gateway, string target, int user)
    {
        using var answer = await _http.PostAsJsonAsync(new Uri(gateway, "/api/v1/hearts"), new { target_id = target, user_id = $"{_prefix}{user}" });
        return answer.StatusCode;
    }
}
