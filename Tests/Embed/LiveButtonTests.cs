using System.Text.Json;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Playwright;

namespace HeartGrains.Tests.Embed;

/// <summary>The button's side of the live protocol, against a server of the test's making.</summary>
public sealed class LiveButtonTests(LocalBrowser browser, EmbeddingServer server) : IClassFixture<EmbeddingServer>
{
    private readonly string _target = HeartClient.Fresh("t");

    [Fact]
    public async Task Update_Newer_IsShownAndAnOlderOneIsNot()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(ButtonTests.Heart(_target) + ButtonTests.Heart(_target + "-2")), live: true);
        (await page.HearAsync()).ShouldBe($$$"""{"subscribe":["{{{_target}}}","{{{_target}}}-2"],"since":{"{{{_target}}}":0,"{{{_target}}}-2":0}}""");
        page.Tell(_target, count: 5, version: 7);
        await page.ShowsAsync("5", hearted: false);
        page.Tell(_target, count: 4, version: 6);
        page.Tell(_target + "-2", count: 1, version: 1);
        await page.ShowsAsync("1", hearted: false, page.Page.Locator("heart-button [part~=button]").Last);
        await page.ShowsAsync("5", hearted: false);
        page.Sockets.ShouldBe(1);
    }

    [Fact]
    public async Task Scroll_OutOfSightAndBack_UnsubscribesAndSubscribesSinceWhatIsKnown()
    {
        await using var page = await ButtonPage.OpenAsync(
            browser, server.Own(ButtonTests.Heart(_target) + "<div id=\"far\" style=\"margin-top: 5000px\">far</div>"), live: true);
        await page.HearAsync();
        page.Tell(_target, count: 5, version: 7);
        await page.ShowsAsync("5", hearted: false);
        await page.Page.Locator("#far").ScrollIntoViewIfNeededAsync();
        (await page.HearAsync()).ShouldBe($$$"""{"unsubscribe":["{{{_target}}}"]}""");
        await page.Button.ScrollIntoViewIfNeededAsync();
        (await page.HearAsync()).ShouldBe($$$"""{"subscribe":["{{{_target}}}"],"since":{"{{{_target}}}":7}}""");
    }

    [Fact]
    public async Task Socket_Closed_IsOpenedAgainSinceWhatIsKnown()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(ButtonTests.Heart(_target)), live: true);
        await page.HearAsync();
        page.Tell(_target, count: 5, version: 7);
        await page.ShowsAsync("5", hearted: false);
        await page.HangUpAsync();
        (await page.HearAsync()).ShouldBe($$$"""{"subscribe":["{{{_target}}}"],"since":{"{{{_target}}}":7}}""");
        page.Sockets.ShouldBe(2);
    }

    /// <summary>A gateway that hangs closes nothing: what it owes at least twice a minute does not come.</summary>
    [Fact]
    public async Task Socket_SilentForAMinute_IsGivenUpAndOpenedAgain()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(ButtonTests.Heart(_target)), live: true);
        await page.HearAsync();
        await page.Page.Clock.InstallAsync();
        page.Tell(_target, count: 5, version: 7);
        await page.ShowsAsync("5", hearted: false);
        await page.Page.Clock.FastForwardAsync("00:50");
        page.Sockets.ShouldBe(1);
        await page.Page.Clock.FastForwardAsync("00:11");
        (await page.HearAsync()).ShouldBe($$$"""{"subscribe":["{{{_target}}}"],"since":{"{{{_target}}}":7}}""");
        page.Sockets.ShouldBe(2);
    }

    /// <summary>News of a heart may come before the answer to it: the heart must not be shown twice.</summary>
    [Fact]
    public async Task Update_BeforeTheAnswerToATap_IsNotCountedTwice()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(ButtonTests.Heart(_target)), live: true);
        await page.HearAsync();
        await page.ShowsAsync("0", hearted: false);
        var release = new TaskCompletionSource();
        await page.Page.RouteAsync("**/api/v1/hearts", async route =>
        {
            await release.Task;
            await route.ContinueAsync();
        });
        await page.Page.EvaluateAsync("() => { window.shown = []; new MutationObserver(() => shown.push(document.querySelector('heart-button').count)).observe(document.querySelector('heart-button').shadowRoot, { subtree: true, childList: true, characterData: true }); }");
        await page.Button.ClickAsync();
        page.Tell(_target, count: 1, version: 1);
        await page.ShowsAsync("1", hearted: true);
        release.SetResult();
        await page.SettledAsync();
        await page.ShowsAsync("1", hearted: true);
        (await page.Page.EvaluateAsync<bool>("shown.every((count) => count === 1)")).ShouldBeTrue();
    }

    [Fact]
    public async Task Socket_Refused_TheButtonWorksAndDoesNotInsist()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(ButtonTests.Heart(_target)), live: true, hangUp: true);
        await page.ShowsAsync("0", hearted: false);
        await page.Button.ClickAsync();
        await page.ShowsAsync("1", hearted: true);
        await page.SettledAsync();
        page.Sockets.ShouldBeLessThan(10);
    }
}
