using HeartGrains.Tests.Infrastructure;
using Microsoft.Playwright;

namespace HeartGrains.Tests.Pages;

/// <summary>The demo feed.</summary>
public sealed class DemoPageTests(LocalBrowser browser, PageServer server) : IClassFixture<PageServer>
{
    [Fact]
    public async Task Tap_OnACard_ShowsLiveWithAnotherReaderAndInTheTotal()
    {
        await using var one = await Visit.OpenAsync(browser, server.At("/demo"));
        await using var other = await Visit.OpenAsync(browser, server.At("/demo?lang=zh"));
        var (mine, theirs) = (Card(one, 4), Card(other, 4));
        var order = await TargetsAsync(one);

        // Live while in view only.
        await theirs.ScrollIntoViewIfNeededAsync();
        await Assertions.Expect(theirs.Locator("[part=count]")).ToHaveTextAsync("0");
        await mine.GetByRole(AriaRole.Button).ClickAsync();

        await Assertions.Expect(mine.GetByRole(AriaRole.Button)).ToHaveAttributeAsync("aria-pressed", "true");
        await Assertions.Expect(theirs.Locator("[part=count]")).ToHaveTextAsync("1");
        await Assertions.Expect(theirs.GetByRole(AriaRole.Button)).ToHaveAttributeAsync("aria-pressed", "false");
        var others = await other.Page.EvaluateAsync<int>("[...document.querySelectorAll('heart-button')].reduce((sum, button) => sum + button.count, 0)");
        await other.ShowsAsync("[data-total]", others);
        (await TargetsAsync(one)).ShouldBe(order);
        one.Errors.Concat(other.Errors).ShouldBeEmpty();
    }

    [Fact]
    public async Task WithoutJavaScript_ACardsFormGivesTheHeart()
    {
        await using var visit = await Visit.OpenAsync(browser, server.At("/demo"), new() { JavaScriptEnabled = false });
        await Assertions.Expect(Card(visit, 7).Locator("img")).ToHaveJSPropertyAsync("complete", true);
        (await Card(visit, 7).Locator("img").EvaluateAsync<int>("image => image.naturalHeight")).ShouldBe(20);
        await Assertions.Expect(visit.Page.Locator("#given-7")).ToBeHiddenAsync();
        await Card(visit, 7).GetByRole(AriaRole.Button).ClickAsync();
        await Assertions.Expect(visit.Page.Locator("#given-7")).ToBeInViewportAsync();
        await Assertions.Expect(visit.Page.Locator("h1")).ToHaveTextAsync("Riverbend");
        await using var other = await Visit.OpenAsync(browser, server.At("/demo"));
        await Assertions.Expect(Card(other, 7).Locator("[part=count]")).ToHaveTextAsync("1");
    }

    private static ILocator Card(Visit visit, int number) => visit.Page.Locator($"heart-button[target-id='demo:{number}']");

    private static Task<string[]> TargetsAsync(Visit visit) =>
        visit.Page.EvaluateAsync<string[]>("[...document.querySelectorAll('heart-button')].map(button => button.targetId)");
}
