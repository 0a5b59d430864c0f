using HeartGrains.Tests.Cluster;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Playwright;

namespace HeartGrains.Tests.Buttons;

/// <summary>The buttons as npm has them, on a page of another origin, in a real browser, over a real cluster.</summary>
[Collection(nameof(ClusterFixture))]
public sealed class PublishedButtonTests(ClusterFixture cluster, LocalBrowser browser)
{
    [Fact]
    public async Task OpenHeartElement_TwoReadersTap_IsOneHeartEachAndStays()
    {
        await using var blog = await TestSite.StartAsync();
        var script = blog.Pages.Add(await NpmPackage.FetchAsync("open-heart-element", "0.0.13"), "dist/index.js");
        var heart = $"{cluster.Gateways[0]}oh/blog.test/{HeartClient.Fresh("post-")}";
        var url = new Uri(blog.At("blog.test"), blog.Pages.Add($"<open-heart href=\"{heart}\" emoji=\"❤️\">❤️</open-heart>", $"<script type=\"module\" src=\"{script}\"></script>"));

        var (ann, page) = await OpenAsync(url, "Ann's browser");
        await using var closingAnn = ann;
        (await CountAsync(page)).ShouldBe("0");
        await TapAsync(page);
        (await CountAsync(page)).ShouldBe("1");

        // It remembers having sent; without that memory she taps again, and is still the same reader.
        await page.ReloadAsync();
        await Assertions.Expect(page.Locator("open-heart")).ToHaveAttributeAsync("aria-pressed", "true");
        await page.EvaluateAsync("() => localStorage.clear()");
        await page.ReloadAsync();
        await TapAsync(page);
        (await CountAsync(page)).ShouldBe("1");

        var (ben, other) = await OpenAsync(url, "Ben's browser");
        await using var closingBen = ben;
        (await CountAsync(other)).ShouldBe("1");
        await TapAsync(other);
        (await CountAsync(other)).ShouldBe("2");

        static async Task TapAsync(IPage page)
        {
            await page.Locator("open-heart").ClickAsync();
            await Assertions.Expect(page.Locator("open-heart")).ToHaveAttributeAsync("aria-pressed", "true");
        }

        static async Task<string?> CountAsync(IPage page)
        {
            await page.EvaluateAsync("async () => { await customElements.whenDefined('open-heart'); await document.querySelector('open-heart').getCount(); }");
            return await page.Locator("open-heart").GetAttributeAsync("count");
        }
    }

    [Fact]
    public async Task ApplauseButton_TwoReadersClap_IsOneHeartEachAndStays()
    {
        await using var blog = await TestSite.StartAsync();
        var package = await NpmPackage.FetchAsync("applause-button", "4.0.5");
        var (script, style) = (blog.Pages.Add(package, "dist/applause-button.js"), blog.Pages.Add(package, "dist/applause-button.css"));
        var address = "https://blog.test/" + HeartClient.Fresh("post-");
        await ImportAsync($$"""[{"url":"{{address}}","claps":1200}]""");
        var url = new Uri(blog.At("blog.test"), blog.Pages.Add(
            $"<applause-button style=\"width:58px;height:58px\" api=\"{cluster.Gateways[0]}applause\" url=\"{address}?id=1&x=2\"></applause-button>",
            $"<link rel=\"stylesheet\" href=\"{style}\"><script src=\"{script}\"></script>"));

        var (ann, page) = await OpenAsync(url, "Ann's browser");
        await using var closingAnn = ann;
        await ShowsAsync(page, "1,200");
        await ClapAsync(page);
        await ShowsAsync(page, "1,201");

        // A page opened anew does not know that she clapped. The total does not rise, so the button sees that it was no new clap and takes it back.
        await page.ReloadAsync();
        await ShowsAsync(page, "1,201");
        await ClapAsync(page);
        await ShowsAsync(page, "1,201");

        var (ben, other) = await OpenAsync(url, "Ben's browser");
        await using var closingBen = ben;
        await ShowsAsync(other, "1,201");
        await ClapAsync(other);
        await ShowsAsync(other, "1,202");
        await other.ReloadAsync();
        await ShowsAsync(other, "1,202");

        // It gathers claps for two seconds before it sends them.
        static async Task ClapAsync(IPage page)
        {
            var sent = await page.RunAndWaitForResponseAsync(
                () => page.Locator("applause-button button").ClickAsync(), static answer => answer.Url.Contains("/update-claps", StringComparison.Ordinal));
            sent.Status.ShouldBe(200);
        }

        static Task ShowsAsync(IPage page, string count) => Assertions.Expect(page.Locator("applause-button:not(.loading) .clap-count")).ToHaveTextAsync(count);
    }

    // Through the other gateway: an opening balance is the target's, not a gateway's.
    private async Task ImportAsync(string dump)
    {
        using var client = new HttpClient { BaseAddress = cluster.Gateways[1] };
        client.DefaultRequestHeaders.Authorization = new("Bearer", ClusterFixture.OperatorKey);
        (await client.PostJsonAsync("/api/v1/imports/applause", dump)).EnsureSuccessStatusCode();
    }

    private async Task<(IBrowserContext Person, IPage Page)> OpenAsync(Uri url, string userAgent)
    {
        var person = await browser.PersonAsync(new() { UserAgent = userAgent });
        var page = await person.NewPageAsync();
        await page.GotoAsync(url.ToString());
        return (person, page);
    }
}
