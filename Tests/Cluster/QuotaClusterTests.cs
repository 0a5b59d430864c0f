using System.Collections.Concurrent;
using System.Net.Http.Json;

namespace HeartGrains.Tests.Cluster;

/// <summary>Quotas over real processes that die and join: no window is ever given more than the limit and what came back in it.</summary>
public sealed class QuotaClusterTests(QuotaFaultCluster cluster) : IClassFixture<QuotaFaultCluster>
{
    private const int Workers = 8;
    private const int TokensBetweenFaults = 150;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly ConcurrentDictionary<string, int> _answers = new();
    private volatile HttpClient[] _gateways = [];

    /// <summary>A user under a token bucket, a target under a sliding window and a campaign under a leaky bucket.</summary>
    [Fact]
    public async Task Keys_HammeredWhileGatewaysAndSilosDieAndJoin_GetTheLimitAndNeverMoreInAnyWindow()
    {
        var (user, target, campaign) = ($"greedy-{Guid.NewGuid():N}", $"hot-{Guid.NewGuid():N}", $"late-{Guid.NewGuid():N}");
        var (admissions, ofTarget, ofCampaign) = (new Admissions(), new Admissions(), new Admissions());
        using var stop = new CancellationTokenSource();
        await ConnectAsync();
        var started = TimeProvider.System.GetTimestamp();
        Task[] workers =
        [
            .. Enumerable.Range(0, Workers).Select(worker => HammerAsync(
                worker, call => call / 3 % 2 == 0 ? 1 : 1 + call % 5, (call, tokens) => tokens == 1 ? Heart($"t{worker}-{call}", user) : Acquire(user, tokens), admissions, stop.Token)),
            HammerAsync(0, static _ => 1, (_, _) => Heart(target, Fresh()), ofTarget, stop.Token),
            HammerAsync(0, static _ => 1, (_, _) => Acquire(Fresh(), 1, campaign), ofCampaign, stop.Token),
        ];

        try
        {
            // Each fault comes when the user has been given more since the last one, so that each has a time before and after it.
            await GivenAsync(admissions, QuotaFaultCluster.UserLimit * 3 / 4);
            await cluster.RunAsync("kill", "gateway", "2");
            await GivenAsync(admissions, admissions.Tokens + TokensBetweenFaults);
            await cluster.RunAsync("add", "gateway");
            await ConnectAsync();
            await GivenAsync(admissions, admissions.Tokens + TokensBetweenFaults);
            await cluster.RunAsync("kill", "silo", "1");
            await cluster.RunAsync("start", "silo", "1");
            await cluster.RunAsync("start", "gateway", "2");
            await ConnectAsync();
            await GivenAsync(admissions, admissions.Tokens + TokensBetweenFaults);
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(workers);
        }

        var most = QuotaFaultCluster.UserLimit + QuotaFaultCluster.UserTokensPerSecond * TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        var excess = admissions.LargestExcess(QuotaFaultCluster.UserLimit, QuotaFaultCluster.UserTokensPerSecond);
        var answers = string.Join(", ", _answers.OrderBy(static answer => answer.Key).Select(static answer => $"{answer.Key}: {answer.Value}"));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{admissions.Tokens} tokens of at most {most:0}; worst window {excess:0.0} over the bound; target {ofTarget.Tokens} of {QuotaFaultCluster.TargetLimit}, campaign {ofCampaign.Tokens}; {answers}");

        excess.ShouldBeLessThanOrEqualTo(0);
        ofTarget.LargestExcess(QuotaFaultCluster.TargetLimit, 0, QuotaFaultCluster.TargetWindow).ShouldBeLessThanOrEqualTo(0);
        ofTarget.LargestExcess(QuotaFaultCluster.TargetLimit, QuotaFaultCluster.TargetLimit / QuotaFaultCluster.TargetWindow.TotalSeconds).ShouldBeLessThanOrEqualTo(0);
        ofTarget.Tokens.ShouldBeGreaterThan(QuotaFaultCluster.TargetLimit / 2);
        ofCampaign.LargestExcess(QuotaFaultCluster.CampaignLimit, QuotaFaultCluster.CampaignTokensPerSecond).ShouldBeLessThanOrEqualTo(0);
        ofCampaign.Tokens.ShouldBeGreaterThan(QuotaFaultCluster.CampaignLimit / 2);
        ((double)admissions.Tokens).ShouldBeGreaterThan(most / 2);
        _answers.ShouldContainKey("429");
        _answers.ShouldNotContainKey("500");
    }

    [Fact]
    public async Task Key_EverySiloKilledInTurn_GetsTheRestOfItsTokensAndNoneTwice()
    {
        var campaign = $"campaign-{Guid.NewGuid():N}";
        var admissions = new Admissions();
        await ConnectAsync();
        await LocalCluster.UntilAsync(
            async () => await TakeFromEachAsync(campaign, admissions) && admissions.Tokens >= QuotaFaultCluster.CampaignLimit / 2, Patience, "half is not given");

        foreach (var silo in await cluster.MembersAsync("silo"))
        {
            await cluster.RunAsync("kill", "silo", $"{silo.Number}");
            await LocalCluster.UntilAsync(() => TakeFromEachAsync(campaign, admissions), Patience, "nobody judges");
            await cluster.RunAsync("start", "silo", $"{silo.Number}");
        }

        var before = admissions.Tokens;
        await LocalCluster.UntilAsync(
            async () => await TakeFromEachAsync(campaign, admissions) && admissions.Tokens == Interlocked.Exchange(ref before, admissions.Tokens),
            Patience, "it never ends");

        TestContext.Current.TestOutputHelper?.WriteLine($"{admissions.Tokens} tokens of {QuotaFaultCluster.CampaignLimit}");
        admissions.LargestExcess(QuotaFaultCluster.CampaignLimit, QuotaFaultCluster.CampaignTokensPerSecond).ShouldBeLessThanOrEqualTo(0);
        admissions.Tokens.ShouldBeGreaterThan(QuotaFaultCluster.CampaignLimit / 2);
    }

    private static Task GivenAsync(Admissions admissions, long tokens) =>
        LocalCluster.UntilAsync(() => Task.FromResult(admissions.Tokens >= tokens), Patience, $"{admissions.Tokens} tokens were given and not {tokens}");

    /// <summary>Calls go to the gateways that run now.</summary>
    private async Task ConnectAsync() =>
        _gateways = [.. (await cluster.MembersAsync("gateway")).Select(static member => new HttpClient { BaseAddress = member.Url, Timeout = TimeSpan.FromSeconds(10) })];

    /// <summary>Calls all gateways in turn.</summary>
    private async Task HammerAsync(int first, Func<int, int> tokensOf, Func<int, int, (string Path, object Body)> callOf, Admissions admissions, CancellationToken stop)
    {
        for (var call = first; !stop.IsCancellationRequested; call++)
        {
            var gateways = _gateways;
            var tokens = tokensOf(call);
            await JudgedAsync(gateways[call % gateways.Length], callOf(call, tokens), tokens, admissions);
            await Task.Delay(Pause, TimeProvider.System, CancellationToken.None);
        }
    }

    /// <summary>Asks each gateway for a token of the campaign, for users who have plenty. True when all of them could judge.</summary>
    private async Task<bool> TakeFromEachAsync(string campaign, Admissions admissions)
    {
        var judged = true;
        foreach (var gateway in _gateways) judged &= await JudgedAsync(gateway, Acquire(Fresh(), 1, campaign), 1, admissions);
        return judged;
    }

    private static string Fresh() => $"{Guid.NewGuid():N}";

    private static (string Path, object Body) Heart(string target, string user) => ("/api/v1/hearts", new { target_id = target, user_id = user });

    private static (string Path, object Body) Acquire(string user, int tokens, string? campaign = null) =>
        ("/api/v1/quota/acquire", campaign is null ? new { user_id = user, tokens } : new { user_id = user, tokens, campaign_id = campaign });

    /// <summary>Makes a call and notes what came of it; a gateway that died is no answer. True when the quota judged.</summary>
    private async Task<bool> JudgedAsync(HttpClient gateway, (string Path, object Body) call, int tokens, Admissions admissions)
    {
        var sentAt = TimeProvider.System.GetTimestamp();
        try
        {
            using var answer = await gateway.PostAsJsonAsync(call.Path, call.Body, CancellationToken.None);
            var answeredAt = TimeProvider.System.GetTimestamp();
            _answers.AddOrUpdate($"{(int)answer.StatusCode}", 1, static (_, count) => count + 1);
            if (answer.IsSuccessStatusCode) admissions.Add(sentAt, answeredAt, tokens);
            return answer.IsSuccessStatusCode || (int)answer.StatusCode == 429;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
        {
            _answers.AddOrUpdate("no answer", 1, static (_, count) => count + 1);
            return false;
        }
    }
}

/// <summary>
/// Two silos and two gateways. A user's quota is large, with large slices, and lasts; a target's and a campaign's hardly fill while a test runs.
/// </summary>
public sealed class QuotaFaultCluster() : LocalCluster(
    silos: 2,
    gateways: 2,
    "RateLimits:Policies:0:Name=user",
    "RateLimits:Policies:0:Dimension=user",
    $"RateLimits:Policies:0:TokenLimit={UserLimit}",
    $"RateLimits:Policies:0:TokensPerPeriod={UserTokensPerSecond}",
    "RateLimits:Policies:0:SliceTokens=100",
    "RateLimits:Policies:1:Name=campaign",
    "RateLimits:Policies:1:Dimension=campaign",
    "RateLimits:Policies:1:Algorithm=leaky_bucket",
    $"RateLimits:Policies:1:Capacity={CampaignLimit}",
    "RateLimits:Policies:1:LeakPeriod=00:00:20",
    "RateLimits:Policies:2:Name=target",
    "RateLimits:Policies:2:Dimension=target",
    "RateLimits:Policies:2:Algorithm=sliding_window",
    $"RateLimits:Policies:2:PermitLimit={TargetLimit}",
    "RateLimits:Policies:2:Window=00:05:00")
{
    public const int UserLimit = 1200;
    public const int UserTokensPerSecond = 20;
    public const int CampaignLimit = 60;
    public const double CampaignTokensPerSecond = 1 / 20.0;
    public const int TargetLimit = 200;
    public static readonly TimeSpan TargetWindow = TimeSpan.FromMinutes(5);
}
