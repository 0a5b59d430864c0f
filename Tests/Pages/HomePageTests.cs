using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Playwright;

namespace HeartGrains.Tests.Pages;

/// <summary>The start page as a newcomer uses it.</summary>
public sealed class HomePageTests(LocalBrowser browser, PageServer server) : IClassFixture<PageServer>
{
    private const string Welcome = "welcome";

    [Fact]
    public async Task Tap_FirstHeart_ArrivesInTheOtherWindowAndWithAnotherReader()
    {
        await using var newcomer = await Visit.OpenAsync(browser, server.At("/"));
        await using var reader = await Visit.OpenAsync(browser, server.At("/"));
        var before = await CountAsync();
        await newcomer.SaysAsync("[data-news]", "Listening");
        await reader.SaysAsync("[data-news]", "Listening");

        await newcomer.Heart.ClickAsync();

        await newcomer.SaysAsync("[data-say]", "It is yours, and it is counted.");
        await newcomer.SaysAsync("[data-news]", "+1 · arrived ");
        await newcomer.SaysAsync("[data-news]", " ms after your tap");
        await newcomer.ShowsAsync("[data-count]", before + 1);
        await reader.SaysAsync("[data-news]", "+1 · from another window");
        await reader.ShowsAsync("[data-count]", before + 1);
        await Assertions.Expect(reader.Heart).ToHaveAttributeAsync("aria-pressed", "false");
        (await CountAsync()).ShouldBe(before + 1);

        await newcomer.Heart.ClickAsync();
        await newcomer.SaysAsync("[data-say]", "Taken back.");
        await reader.SaysAsync("[data-news]", "−1 · taken back in another window");
        await reader.ShowsAsync("[data-count]", before);
        newcomer.Errors.Concat(reader.Errors).ShouldBeEmpty();
    }

    [Fact]
    public async Task Reload_AfterAHeart_KnowsTheReader()
    {
        await using var visit = await Visit.OpenAsync(browser, server.At("/"));
        await visit.Heart.ClickAsync();
        await visit.SaysAsync("[data-news]", "arrived");
        await visit.Page.ReloadAsync();
        await Assertions.Expect(visit.Heart).ToHaveAttributeAsync("aria-pressed", "true");
        await visit.SaysAsync("[data-say]", "It is yours");
    }

    [Fact]
    public async Task Tap_QuotaSpent_GetsAKindWordAndNoHeart()
    {
        await using var visit = await Visit.OpenAsync(browser, server.At("/"));
        await visit.Page.RouteAsync("**/api/v1/hearts", static route => route.FulfillAsync(new()
        {
            Status = 429,
            ContentType = "application/problem+json",
            Headers = new Dictionary<string, string> { ["Retry-After"] = "60" },
            Body = """{"code":"quota-exceeded"}""",
        }));
        await visit.Heart.ClickAsync();
        await visit.SaysAsync("[data-toast]", "So many hearts!");
        await Assertions.Expect(visit.Heart).ToHaveAttributeAsync("aria-pressed", "false");
    }

    [Fact]
    public async Task Tap_Offline_IsToldThatTheHeartIsKept()
    {
        await using var visit = await Visit.OpenAsync(browser, server.At("/"));
        await visit.SaysAsync("[data-news]", "Listening");
        await visit.Page.Context.SetOfflineAsync(true);
        await visit.Heart.ClickAsync();
        await visit.SaysAsync("[data-toast]", "You are offline.");
    }

    /// <summary>What moves by itself ends by itself (WCAG 2.2.2), and is over with the first heart.</summary>
    [Fact]
    public async Task Heart_Beats_AFewTimesAndNotOnceGiven()
    {
        await using var visit = await Visit.OpenAsync(browser, server.At("/"), new() { ReducedMotion = ReducedMotion.NoPreference });
        var shape = visit.Page.Locator(".big [part=heart]");
        await Assertions.Expect(shape).ToHaveCSSAsync("animation-name", "beat");
        await Assertions.Expect(shape).ToHaveCSSAsync("animation-iteration-count", "3");
        await visit.Heart.ClickAsync();
        await Assertions.Expect(shape).ToHaveCSSAsync("animation-iteration-count", "0");
    }

    [Fact]
    public async Task LanguageSwitch_ToChinese_KeepsToItOnTheNextPage()
    {
        await using var visit = await Visit.OpenAsync(browser, server.At("/"));
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "中文" }).ClickAsync();
        await visit.SaysAsync("h1", "送出你的第一颗心");
        (await visit.Page.Locator("html").GetAttributeAsync("lang")).ShouldBe("zh-Hans");
        (await visit.Heart.GetAttributeAsync("aria-label"))!.ShouldContain("喜欢");
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "打开演示" }).ClickAsync();
        await visit.SaysAsync("h1", "河湾小镇");
    }

    [Fact]
    public async Task Tabs_ByKeyboard_FollowTheAriaPractice()
    {
        await using var visit = await Visit.OpenAsync(browser, server.At("/"));
        var page = visit.Page;
        await page.GetByRole(AriaRole.Tab, new() { Name = "Our element" }).FocusAsync();
        foreach (var (key, tab) in ((string, string)[])[("ArrowRight", "Open Heart"), ("ArrowLeft", "Our element"), ("ArrowLeft", "curl"), ("ArrowRight", "Our element"), ("End", "curl"), ("Home", "Our element")])
        {
            await page.Keyboard.PressAsync(key);
            var chosen = page.GetByRole(AriaRole.Tab, new() { Name = tab, Exact = true });
            await Assertions.Expect(chosen).ToBeFocusedAsync();
            await Assertions.Expect(chosen).ToHaveAttributeAsync("aria-selected", "true");
            await Assertions.Expect(page.GetByRole(AriaRole.Tabpanel)).ToHaveCountAsync(1);
            await Assertions.Expect(page.GetByRole(AriaRole.Tabpanel, new() { Name = tab, Exact = true })).ToBeVisibleAsync();
        }

        await page.Keyboard.PressAsync("Tab");
        await Assertions.Expect(page.GetByRole(AriaRole.Tabpanel)).ToBeFocusedAsync();
    }

    [Fact]
    public async Task Choice_OfTargetColourSizeAndLanguage_ShowsInPreviewAndSnippets()
    {
        await using var visit = await Visit.OpenAsync(browser, server.At("/"));
        var page = visit.Page;
        await page.GetByLabel("What is loved").FillAsync("""it's "A&B" <1>""");
        await page.GetByLabel("Violet").CheckAsync();
        await page.GetByLabel("Large").CheckAsync();
        await page.GetByRole(AriaRole.Combobox, new() { Name = "Language" }).SelectOptionAsync("zh");

        var preview = page.Locator("[data-preview] heart-button");
        await Assertions.Expect(preview).ToHaveAttributeAsync("target-id", """it's "A&B" <1>""");
        await Assertions.Expect(preview).ToHaveAttributeAsync("lang", "zh");
        await Assertions.Expect(preview.GetByRole(AriaRole.Button, new() { Name = "喜欢" })).ToBeVisibleAsync();
        (await preview.EvaluateAsync<string>("button => button.style.getPropertyValue('--heart-color')")).ShouldBe("#9333ea");

        (await SnippetAsync(visit, "element")).ShouldEndWith(
            """<heart-button target-id="it's &quot;A&amp;B&quot; &lt;1>" style="--heart-color: #9333ea; font-size: 1.75rem" lang="zh"></heart-button>""");
        (await SnippetAsync(visit, "badge")).ShouldContain("target_id=it's%20%22A%26B%22%20%3C1%3E&amp;color=9333ea\"");
        (await SnippetAsync(visit, "curl")).ShouldContain("""{"target_id":"it'\''s \"A&B\" <1>","user_id":"u456"}""");

        await page.GetByLabel("What is loved").FillAsync("");
        (await SnippetAsync(visit, "element")).ShouldContain("<heart-button style=");
    }

    [Fact]
    public async Task Copy_PutsTheSnippetOnTheClipboardAndSaysSo()
    {
        await using var visit = await Visit.OpenAsync(browser, server.At("/"));
        await visit.Page.Context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        var copy = visit.Page.Locator("#way-element [data-copy]");
        await copy.ClickAsync();
        await Assertions.Expect(copy).ToHaveTextAsync("Copied");
        (await visit.Page.EvaluateAsync<string>("navigator.clipboard.readText()")).ShouldBe(await SnippetAsync(visit, "element"));
        await Assertions.Expect(copy).ToHaveTextAsync("Copy");
    }

    [Fact]
    public async Task Snippet_PastedIntoAPageOfAnotherOrigin_GivesAHeart()
    {
        await using var visit = await Visit.OpenAsync(browser, server.At("/"));
        var target = HeartClient.Fresh("pasted");
        await visit.Page.GetByLabel("What is loved").FillAsync(target);
        await using var site = await TestSite.StartAsync();
        var path = site.Pages.Add(await SnippetAsync(visit, "element"));

        await using var reader = await Visit.OpenAsync(browser, new Uri(site.At("site.test"), path));
        await reader.Heart.ClickAsync();
        await Assertions.Expect(reader.Heart).ToHaveAttributeAsync("aria-pressed", "true");
        await ShouldCountAsync(target, 1);
    }

    [Fact]
    public async Task Snippet_OfTheForm_GivesAHeartAndComesBack()
    {
        await using var visit = await Visit.OpenAsync(browser, server.At("/"));
        var target = HeartClient.Fresh("form");
        await visit.Page.GetByLabel("What is loved").FillAsync(target);
        await using var site = await TestSite.StartAsync();
        var back = new Uri(site.At("site.test"), site.Pages.Add("<p>Thank you</p>"));
        var form = (await SnippetAsync(visit, "form")).Replace("https://example.com/the-page", back.ToString(), StringComparison.Ordinal);
        var page = new Uri(site.At("site.test"), site.Pages.Add(form));

        await using var reader = await Visit.OpenAsync(browser, page, new() { JavaScriptEnabled = false });
        await reader.Page.GetByRole(AriaRole.Button).ClickAsync();
        await ShouldCountAsync(target, 1);
        reader.Page.Url.ShouldBe(back.ToString());
    }

    [Fact]
    public async Task WithoutJavaScript_PageMakesSenseAndItsFormGivesTheHeart()
    {
        await using var visit = await Visit.OpenAsync(browser, server.At("/"), new() { JavaScriptEnabled = false });
        var before = await CountAsync();
        await Assertions.Expect(visit.Page.Locator(".js:visible")).ToHaveCountAsync(0);
        await visit.Page.SetViewportSizeAsync(390, 844);
        var code = visit.Page.Locator("#way-element pre");
        (await code.EvaluateAsync<bool>("code => getComputedStyle(code).paddingTop === getComputedStyle(code).paddingBottom")).ShouldBeTrue();
        await Assertions.Expect(visit.Page.Locator("[data-way]:visible")).ToHaveCountAsync(6);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Give a heart" }).First.ClickAsync();
        await Assertions.Expect(visit.Page.Locator("#given")).ToBeVisibleAsync();
        (await CountAsync()).ShouldBe(before + 1);
    }

    private static Task<string> SnippetAsync(Visit visit, string way) => visit.Page.EvaluateAsync<string>(
        """
        way => {
            const code = document.querySelector(`#way-${way} code`).cloneNode(true);
            code.querySelectorAll("[hidden]").forEach(part => part.remove());
            return code.textContent;
        }
        """,
        way);

    private async Task<long> CountAsync(string target = Welcome) =>
        (await server.Gateway.Client.ReadAsync(target).JsonAsync()).GetProperty("count").GetInt64();

    private async Task ShouldCountAsync(string target, long expected)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (await CountAsync(target) != expected && TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(10)) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        (await CountAsync(target)).ShouldBe(expected);
    }
}
