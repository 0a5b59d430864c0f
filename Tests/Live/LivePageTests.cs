using System.Text.Json;
using System.Text.RegularExpressions;
using HeartGrains.Gateway.Live;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Infrastructure;
using HeartGrains.Tests.Observability;
using Microsoft.Extensions.DependencyInjection;

namespace HeartGrains.Tests.Live;

/// <summary>What docs/live.md says is so.</summary>
public sealed partial class LivePageTests(LocalBrowser browser)
{
    private static readonly string Page = DeployedFiles.Page("live.md");

    [Fact]
    public void CloseCodes_OfThePage_AreThoseOfTheCode() =>
        CloseRow().Matches(Page).Select(static row => (int.Parse(row.Groups["code"].Value), row.Groups["reason"].Value))
            .ShouldBe(LiveClose.All.Select(static close => (close.Code, close.Reason)));

    [Fact]
    public void Limits_OfThePage_AreTheSettings() =>
        Setting().Matches(Page[Page.IndexOf("## Limits", StringComparison.Ordinal)..]).Select(static match => match.Groups["name"].Value).Distinct()
            .ShouldBe(typeof(LiveOptions).GetProperties().Select(static property => property.Name));

    /// <summary>The client of the page, as it stands there, in a browser: it sees hearts, comes back when its gateway goes, and is told what it missed and no more.</summary>
    [Fact]
    public async Task Client_OfThePage_SeesHeartsAndComesBack()
    {
        var code = Script().Match(Page).Groups["code"].Value;
        code.Trim().Split('\n').Length.ShouldBe(20);
        await using var gateway = new GatewayServer();
        await gateway.InitializeAsync();
        var context = await browser.PersonAsync();
        await using var closing = context;
        var page = await context.NewPageAsync();
        await page.GotoAsync(new Uri(gateway.Url, "/health/live").ToString());
        await page.EvaluateAsync(
            $$"""
            () => {
              {{code}}
              window.seen = [];
              window.stop = watchHearts(location.origin.replace("http", "ws") + "/api/v1/live", ["post_1", "post_2"], update => window.seen.push([update.target_id, update.count]));
            }
            """);

        await UntilSeenAsync("post_1", 0);
        await UntilSeenAsync("post_2", 0);
        await gateway.Client.GiveAsync("post_1", "ann");
        await UntilSeenAsync("post_1", 1);

        // As if the gateway had gone and another had been there.
        gateway.Services.GetRequiredService<LiveConnections>().CloseAll(LiveClose.GoingAway);
        await gateway.Client.GiveAsync("post_1", "ben");
        await UntilSeenAsync("post_1", 2);
        await page.EvaluateAsync("window.stop()");
        (await SeenAsync()).Count(static update => update.Target == "post_2").ShouldBe(1);

        Task UntilSeenAsync(string target, long count) => Cluster.LocalCluster.UntilAsync(
            async () => (await SeenAsync()).Contains((target, count)), TimeSpan.FromSeconds(15), $"{target} was not seen at {count}");

        async Task<IReadOnlyList<(string Target, long Count)>> SeenAsync() =>
            [.. (await page.EvaluateAsync<JsonElement>("window.seen")).EnumerateArray().Select(static update => (update[0].GetString()!, update[1].GetInt64()))];
    }

    [GeneratedRegex(@"^\| (?<code>[14]\d{3}) \| `(?<reason>[a-z-]+)` \|", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex CloseRow();

    [GeneratedRegex(@"`(?<name>(Max|Message|Idle|Slow|Ping)[A-Za-z]+)`", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Setting();

    [GeneratedRegex(@"```javascript\n(?<code>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Script();
}
