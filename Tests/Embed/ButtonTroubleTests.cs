using System.Diagnostics;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Playwright;

namespace HeartGrains.Tests.Embed;

/// <summary>The button on bad networks, in several windows and with spoilt storage.</summary>
public sealed class ButtonTroubleTests(LocalBrowser browser, EmbeddingServer server) : IClassFixture<EmbeddingServer>
{
    private const string Record =
        "<script>window.seen = []; for (const type of ['heart-change', 'heart-error']) addEventListener(type, (event) => seen.push({ type, ...event.detail }))</script>";

    private readonly string _target = HeartClient.Fresh("t");

    /// <summary>Else the reader would be somebody else at the next tap, and one person two hearts.</summary>
    [Fact]
    public async Task Query_AskedBeforeTheTokenAndAnsweredAfter_LeavesTheToken()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Foreign("<p>empty</p>"));
        var release = new TaskCompletionSource();
        await page.Page.RouteAsync("**/api/v1/hearts/query", async route =>
        {
            var answer = await route.FetchAsync();
            await release.Task;
            await route.FulfillAsync(new() { Response = answer });
        });
        await page.Page.EvaluateAsync("html => document.body.insertAdjacentHTML('beforeend', html)", Heart());
        await page.Button.ClickAsync();
        await page.ShowsAsync("1", hearted: true);
        await page.SettledAsync();
        var answered = page.Page.WaitForResponseAsync("**/api/v1/hearts/query");
        release.SetResult();
        await (await answered).FinishedAsync();
        await page.Page.UnrouteAllAsync();
        await page.Button.ClickAsync();
        await page.ShowsAsync("0", hearted: false);
        await page.SettledAsync();
        (await server.CountAsync(_target)).ShouldBe(0);
    }

    [Fact]
    public async Task OpeningBalance_ReadOnlyAfterATap_IsInTheCount()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own("<p>empty</p>"));
        var release = new TaskCompletionSource();
        await page.Page.RouteAsync("**/api/v1/hearts/query", async route =>
        {
            var answer = await route.FetchAsync();
            await release.Task;
            await route.FulfillAsync(new() { Response = answer, Body = (await answer.TextAsync()).Replace("\"version\":0", "\"version\":0,\"opening\":40", StringComparison.Ordinal) });
        });
        var asked = page.Page.WaitForRequestAsync("**/api/v1/hearts/query");
        await page.Page.EvaluateAsync("html => document.body.insertAdjacentHTML('beforeend', html)", Heart());
        await asked;
        await page.Button.ClickAsync();
        await page.ShowsAsync("1", hearted: true);
        release.SetResult();
        await page.ShowsAsync("41", hearted: true);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task Tap_ServerCannotBeReached_IsKeptSaidSoAndTriedAgain(int status)
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Record + Heart()));
        await page.ShowsAsync("0", hearted: false);
        var isBack = false;
        await page.Page.RouteAsync("**/api/v1/hearts", route => isBack ? route.ContinueAsync() : status == 0 ? route.AbortAsync() : route.FulfillAsync(new() { Status = status }));
        await page.Button.ClickAsync();
        await page.ShowsAsync("1", hearted: true);
        await page.WaitForAsync($"seen.some(({{ kept, status }}) => kept && status === {status})");
        await Assertions.Expect(page.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Kept. It is sent later.");
        await page.ShowsAsync("1", hearted: true);
        page.Calls.Count(static call => call == "POST /api/v1/hearts").ShouldBeGreaterThanOrEqualTo(4);

        isBack = true;
        await page.SettledAsync();
        await page.ShowsAsync("1", hearted: true);
        await Assertions.Expect(page.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("");
        (await server.CountAsync(_target)).ShouldBe(1);
    }

    /// <summary>The network of a train: there, and of no use.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(429)]
    [InlineData(500)]
    public async Task Tap_OfflineAndTheNetworkComesBackBadly_IsKeptForTheNextPage(int status)
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Record + Heart()));
        await page.ShowsAsync("0", hearted: false);
        await page.Page.Context.SetOfflineAsync(true);
        await page.Button.ClickAsync();
        await page.WaitForAsync("seen.some(({ code }) => code === 'offline')");
        var tries = 0;
        await page.Page.Context.RouteAsync("**/api/v1/hearts", async route =>
        {
            await (status == 0 ? route.AbortAsync() : route.FulfillAsync(new() { Status = status, Headers = [new("Retry-After", "60")] }));
            tries++;
        });
        await page.Page.Context.SetOfflineAsync(false);
        await UntilAsync(() => Task.FromResult(tries == (status == 0 ? 4 : 1)));
        await page.ShowsAsync("1", hearted: true);
        await page.Page.GotoAsync(server.Own("<p>read on</p>").ToString());
        await page.WaitForAsync("Object.entries(localStorage).some(([key, kept]) => key.startsWith('heart-wishes') && kept !== '{}')");
        await page.Page.Context.UnrouteAllAsync();
        await page.Page.GotoAsync(server.Own("<p>home</p>" + Heart(HeartClient.Fresh("other"))).ToString());
        await page.SettledAsync();
        (await server.CountAsync(_target)).ShouldBe(1);
    }

    [Fact]
    public async Task Tap_OfflineAndSentLater_LeavesNoWordsBehind()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Heart()));
        await page.ShowsAsync("0", hearted: false);
        await page.Page.Context.SetOfflineAsync(true);
        await page.Button.ClickAsync();
        await Assertions.Expect(page.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Kept. It is sent later.");
        await page.Page.Context.SetOfflineAsync(false);
        await page.SettledAsync();
        await Assertions.Expect(page.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("");
        (await page.Button.GetAttributeAsync("title")).ShouldBe("");
    }

    [Fact]
    public async Task Event_WhileAWishIsKept_TellsWhatTheServerSaid()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Record + Heart()), live: true);
        await page.HearAsync();
        await page.ShowsAsync("0", hearted: false);
        await page.Page.RouteAsync("**/api/v1/hearts", route => route.FulfillAsync(new() { Status = 503, Headers = [new("Retry-After", "60")] }));
        await page.Button.ClickAsync();
        await page.WaitForAsync("seen.some(({ kept }) => kept)");
        page.Tell(_target, count: 5, version: 7);
        await page.ShowsAsync("6", hearted: true);
        (await page.Page.EvaluateAsync<string>("JSON.stringify(seen.at(-1))"))
            .ShouldBe($$"""{"type":"heart-change","targetId":"{{_target}}","hearted":false,"count":5,"version":7}""");
    }

    [Theory]
    [InlineData("a\\u0007b")]
    [InlineData("a\\u0085b")]
    [InlineData("a\\ud800b")]
    public async Task TargetId_ThatTheServiceRefuses_IsToldAndOthersWork(string target)
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Record));
        await page.Page.EvaluateAsync(
            $"html => {{ const bad = document.createElement('heart-button'); bad.setAttribute('target-id', '{target}'); document.body.append(bad); document.body.insertAdjacentHTML('afterbegin', html); }}",
            Heart());
        await page.ShowsAsync("0", hearted: false);
        (await page.Page.EvaluateAsync<string>("seen.find(({ type }) => type === 'heart-error').code")).ShouldBe("target-invalid");
    }

    [Theory]
    [InlineData("heart-wishes", "{bad")]
    [InlineData("heart-wishes", "null")]
    [InlineData("heart-wishes", "[1]")]
    [InlineData("heart-wishes", """{"bad key":true}""")]
    [InlineData("heart-reader", "tok\u20acen")]
    public async Task Storage_Spoilt_TheButtonWorks(string name, string value)
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Foreign("<p>empty</p>"));
        await page.Page.EvaluateAsync("([key, value]) => localStorage.setItem(key, value)", new[] { $"{name} {server.Gateway.Url.GetLeftPart(UriPartial.Authority)}", value });
        await page.Page.GotoAsync(server.Foreign(Heart()).ToString());
        await page.ShowsAsync("0", hearted: false);
        await page.Button.ClickAsync();
        await page.ShowsAsync("1", hearted: true);
        await UntilAsync(async () => await server.CountAsync(_target) == 1);
        page.Errors.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("Storage.prototype.setItem = () => { throw new Error('full'); }; delete window.localStorage; Object.defineProperty(window, 'localStorage', { value: new Proxy({}, { set() { throw new Error('full'); } }) })")]
    [InlineData("Object.defineProperty(window, 'localStorage', { get() { throw new Error('blocked'); } })")]
    public async Task Storage_FullOrBlocked_ATapMadeOfflineIsSentByThisPage(string trouble)
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own($"<script>{trouble}</script>{Record}{Heart()}"));
        await page.ShowsAsync("0", hearted: false);
        await page.Page.Context.SetOfflineAsync(true);
        await page.Button.ClickAsync();
        await page.WaitForAsync("seen.some(({ code }) => code === 'offline')");
        await page.Page.Context.SetOfflineAsync(false);
        await page.WaitForAsync("seen.some(({ type, version }) => type === 'heart-change' && version === 1)");
        await page.ShowsAsync("1", hearted: true);
        (await server.CountAsync(_target)).ShouldBe(1);
    }

    [Fact]
    public async Task Tap_InAnotherWindowOfTheReader_IsTheReadersHere()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Heart()));
        await page.ShowsAsync("0", hearted: false);
        var other = await ButtonPage.OpenAsync(page.Page.Context, server.Own(Heart()));
        await other.ShowsAsync("0", hearted: false);
        await other.Button.ClickAsync();
        await page.ShowsAsync("1", hearted: true);
        await other.SettledAsync();
        await page.Button.ClickAsync();
        await page.SettledAsync();
        await other.ShowsAsync("0", hearted: false);
    }

    [Fact]
    public async Task TargetId_AfterTheAddressChanged_IsTheOneLoved()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Record + "<heart-button></heart-button>"));
        await page.ShowsAsync("0", hearted: false);
        var bound = page.Page.Url;
        await page.Page.EvaluateAsync("history.pushState(null, '', '/another')");
        await page.Button.ClickAsync();
        await page.WaitForAsync("seen.some(({ hearted }) => hearted)");
        (await page.Page.EvaluateAsync<string[]>("[document.querySelector('heart-button').targetId, seen.at(-1).targetId]")).ShouldBe([bound, bound]);
    }

    /// <summary>Done, but the answers were lost, and the last one was a refusal.</summary>
    [Fact]
    public async Task Tap_LostAndThenRefused_ShowsWhatTheServerKnows()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Record + Heart()), live: true);
        await page.HearAsync();
        await page.ShowsAsync("0", hearted: false);
        var tries = 0;
        await page.Page.RouteAsync("**/api/v1/hearts", async route =>
        {
            if (tries++ == 0)
            {
                await route.FetchAsync();
                await route.FulfillAsync(new() { Status = 504 });
            }
            else
            {
                await route.FulfillAsync(new() { Status = 429, Headers = [new("Retry-After", "60")] });
            }
        });
        await page.Button.ClickAsync();
        await page.WaitForAsync("seen.some(({ status }) => status === 429)");
        var cookies = await page.Page.Context.CookiesAsync();
        await page.ShowsAsync("1", hearted: cookies.Count > 0);
    }

    [Fact]
    public async Task Tap_RefusedForNow_IsRepeatedNoSoonerThanTheServiceSays()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Heart()));
        await page.ShowsAsync("0", hearted: false);
        var refused = new Stopwatch();
        var pause = TimeSpan.Zero;
        await page.Page.RouteAsync("**/api/v1/hearts", async route =>
        {
            pause = refused.Elapsed;
            if (refused.IsRunning)
            {
                await route.ContinueAsync();
                return;
            }

            refused.Start();
            await route.FulfillAsync(new() { Status = 503, Headers = [new("Retry-After", "2")] });
        });
        await page.Button.ClickAsync();
        await page.SettledAsync();
        pause.ShouldBeGreaterThan(TimeSpan.FromSeconds(1.9));
        (await server.CountAsync(_target)).ShouldBe(1);
    }

    [Fact]
    public async Task Tap_TwoFirstOnesAtOnce_AreOfOneReader()
    {
        var other = HeartClient.Fresh("other");
        await using var page = await ButtonPage.OpenAsync(browser, server.Foreign(Heart() + Heart(other)));
        await page.ShowsAsync("0", hearted: false);
        await page.Page.EvaluateAsync("() => document.querySelectorAll('heart-button').forEach((button) => button.toggle())");
        await page.SettledAsync();
        page.Calls.Count(static call => call == "POST /api/v1/reader").ShouldBe(2);
        await page.Page.ReloadAsync();
        await page.ShowsAsync("1", hearted: true);
        await page.ShowsAsync("1", hearted: true, page.Page.Locator("heart-button [part~=button]").Last);
    }

    private string Heart() => Heart(_target);

    private static string Heart(string target) => ButtonTests.Heart(target);

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (var tries = 0; !await condition(); tries++)
        {
            tries.ShouldBeLessThan(200);
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }
}
