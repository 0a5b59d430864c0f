using Deque.AxeCore.Playwright;
using HeartGrains.Tests.Infrastructure;
using HeartGrains.Tests.Pages;
using Microsoft.Playwright;

namespace HeartGrains.Tests.Cluster;

/// <summary>Two people with a page of different gateways open, over a cluster that loses a silo.</summary>
[Collection(nameof(ClusterFixture))]
public sealed class PageClusterTests(ClusterFixture cluster, LocalBrowser browser)
{
    // Milliseconds; ends when what is waited for has happened. A silo's death is told of within seconds on a machine of one's own, and this one is shared with all other tests.
    private const int Patience = 60_000;

    /// <summary>All that a reader does with a heart, at one gateway; somebody sees it in a window of the other.</summary>
    [Fact]
    public async Task Heart_AllWaysToGiveItAndTakeItBack_AreSeenInAWindowOfTheOtherGateway()
    {
        await using var ann = await Visit.OpenAsync(browser, At(0, "/?lang=en"));
        await using var ben = await Visit.OpenAsync(browser, At(1, "/?lang=en"));
        await ben.SaysAsync("[data-news]", "Listening");
        var count = int.Parse(await ben.Page.Locator("[data-count]").InnerTextAsync());

        await ann.Heart.ClickAsync();
        await BenSeesAsync(count + 1);
        await ann.Page.ReloadAsync();
        await Assertions.Expect(ann.Heart).ToHaveAttributeAsync("aria-pressed", "true");

        await ann.Heart.FocusAsync();
        await ann.Page.Keyboard.PressAsync("Space");
        await BenSeesAsync(count);

        await ann.Page.Context.SetOfflineAsync(true);
        await ann.Heart.ClickAsync();
        await Assertions.Expect(ann.Heart).ToHaveAttributeAsync("aria-pressed", "true");
        await ann.Page.Context.SetOfflineAsync(false);
        await BenSeesAsync(count + 1);

        await using var plain = await Visit.OpenAsync(browser, At(0, "/?lang=en"), new() { JavaScriptEnabled = false });
        await plain.Page.GetByRole(AriaRole.Button, new() { Name = "Give a heart" }).First.ClickAsync();
        await Assertions.Expect(plain.Page.Locator("#given")).ToBeVisibleAsync();
        await BenSeesAsync(count + 2);

        await using var blog = await TestSite.StartAsync();
        var gateway = cluster.Gateways[0].GetLeftPart(UriPartial.Authority);
        var page = blog.Pages.Add(
            "<div dir=\"rtl\"><heart-button target-id=\"welcome\"></heart-button></div>",
            $"<meta name=\"color-scheme\" content=\"dark\"><script type=\"module\" src=\"{gateway}/heart-button.js\"></script>",
            $"default-src 'none'; script-src {gateway}; connect-src {gateway} {gateway.Replace("http", "ws", StringComparison.Ordinal)}; require-trusted-types-for 'script'");
        await using var reader = await Visit.OpenAsync(browser, new Uri(blog.At("blog.site.test"), page));
        await reader.Heart.ClickAsync();
        await BenSeesAsync(count + 3);
        await reader.Page.ReloadAsync();
        await Assertions.Expect(reader.Heart).ToHaveAttributeAsync("aria-pressed", "true");
        reader.Errors.Where(static error => !error.Contains("favicon", StringComparison.Ordinal)).ShouldBeEmpty();
        foreach (var visit in (Visit[])[ann, ben]) (await visit.Page.RunAxe()).Violations.Select(static violation => violation.Id).ShouldBeEmpty();
        ben.Errors.ShouldBeEmpty();

        Task BenSeesAsync(int now) => Assertions.Expect(ben.Page.Locator("[data-count]")).ToHaveTextAsync($"{now}");
    }

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

    private Uri At(int gateway, string path) => new(cluster.Gateways[gateway], path);

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
            await Assertions.Expect(Button(page, target).Locator("[part=count]")).ToHaveTextAsync($"{before[target] + more}", new() { Timeout = Patience });
            await Assertions.Expect(Button(page, target)).ToHaveAttributeAsync("aria-pressed", hearted ? "true" : "false", new() { Timeout = Patience });
        }
    }

    private static ILocator Button(IPage page, string target) => page.Locator($"heart-button[target-id='{target}'] button[part~=button]");
}
