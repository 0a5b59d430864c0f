using HeartGrains.Tests.Infrastructure;
using Microsoft.Playwright;

namespace HeartGrains.Tests.Cluster;

/// <summary>Two people with a page of different gateways open, over a cluster that loses a silo.</summary>
[Collection(nameof(ClusterFixture))]
public sealed class PageClusterTests(ClusterFixture cluster, LocalBrowser browser) : IClassFixture<LocalBrowser>
{
    [Fact]
    public async Task SiloKilled_WhileTwoWindowsWatch_EveryHeartOfOneIsSeenByTheOther()
    {
        await using var giver = await browser.PersonAsync();
        await using var watcher = await browser.PersonAsync();
        var (giving, watching) = (await OpenAsync(giver, cluster.Gateways[0]), await OpenAsync(watcher, cluster.Gateways[1]));
        var targets = await giving.Locator("heart-button").EvaluateAllAsync<string[]>("all => all.map(button => button.getAttribute('target-id'))");
        targets.Length.ShouldBeGreaterThan(3);
        var before = await CountsAsync(watching, targets);
        await GiveAllAsync(giving, targets);
        await ShowAsync(watching, targets, before, 1, hearted: false);

        var silo = (await cluster.MembersAsync("silo"))[^1];
        await cluster.RunAsync("kill", "silo", $"{silo.Number}");
        try
        {
            // Taken back at once: some go to the dead silo, and the page makes them good by itself.
            await GiveAllAsync(giving, targets);
            await ShowAsync(giving, targets, before, 0, hearted: false);
            await ShowAsync(watching, targets, before, 0, hearted: false);
        }
        finally
        {
            await cluster.RunAsync("start", "silo", $"{silo.Number}");
        }
    }

    private static async Task<IPage> OpenAsync(IBrowserContext person, Uri gateway)
    {
        var page = await person.NewPageAsync();
        await page.SetViewportSizeAsync(1280, 8_000);
        await page.GotoAsync(new Uri(gateway, "/demo?lang=en").ToString());
        await Assertions.Expect(page.Locator("heart-button [part=count]").Last).Not.ToBeEmptyAsync();
        return page;
    }

    private static async Task GiveAllAsync(IPage page, string[] targets)
    {
        foreach (var target in targets) await Button(page, target).ClickAsync();
    }

    private static async Task<Dictionary<string, int>> CountsAsync(IPage page, string[] targets)
    {
        var counts = new Dictionary<string, int>();
        foreach (var target in targets) counts[target] = int.Parse(await Button(page, target).Locator("[part=count]").InnerTextAsync());
        return counts;
    }

    private static async Task ShowAsync(IPage page, string[] targets, Dictionary<string, int> before, int more, bool hearted)
    {
        foreach (var target in targets)
        {
            await Assertions.Expect(Button(page, target).Locator("[part=count]")).ToHaveTextAsync($"{before[target] + more}", new() { Timeout = 20_000 });
            await Assertions.Expect(Button(page, target)).ToHaveAttributeAsync("aria-pressed", hearted ? "true" : "false");
        }
    }

    private static ILocator Button(IPage page, string target) => page.Locator($"heart-button[target-id='{target}'] button[part~=button]");
}
