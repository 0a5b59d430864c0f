using System.Text.Json;
using Deque.AxeCore.Playwright;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Playwright;

namespace HeartGrains.Tests.Embed;

/// <summary>The button in a real browser, over a real gateway.</summary>
public sealed class ButtonTests(LocalBrowser browser, EmbeddingServer server) : IClassFixture<EmbeddingServer>
{
    private readonly string _target = HeartClient.Fresh("t");

    [Fact]
    public async Task Tap_FirstOfAnUnknownReader_IsGivenKeptOverAReloadAndTakenBack()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Heart()));
        await page.ShowsAsync("0", hearted: false);
        await page.RecordEventsAsync();
        await page.Button.ClickAsync();
        await page.ShowsAsync("1", hearted: true);
        await page.WaitForAsync("seen.length === 1");
        (await page.Page.EvaluateAsync<string>("JSON.stringify(seen[0])"))
            .ShouldBe($$"""{"type":"heart-change","targetId":"{{_target}}","hearted":true,"count":1,"version":1}""");
        (await server.CountAsync(_target)).ShouldBe(1);

        await page.Page.ReloadAsync();
        await page.ShowsAsync("1", hearted: true);
        (await page.Button.GetAttributeAsync("aria-label")).ShouldBe("Love this, 1 heart");
        await page.Button.ClickAsync();
        await page.ShowsAsync("0", hearted: false);
        await page.SettledAsync();
        await page.Page.ReloadAsync();
        await page.ShowsAsync("0", hearted: false);
        (await server.CountAsync(_target)).ShouldBe(0);
    }

    /// <summary>The policy names what the page needs and nothing else: a violation would be an error on the console.</summary>
    [Fact]
    public async Task Tap_OnAPageOfAnotherOriginWithAStrictPolicy_IsGivenAndKept()
    {
        var gateway = server.Gateway.Url.GetLeftPart(UriPartial.Authority);
        var policy = $"default-src 'none'; script-src {gateway}; connect-src {gateway} {gateway.Replace("http", "ws", StringComparison.Ordinal)}; "
            + "base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'";
        await using var page = await ButtonPage.OpenAsync(browser, server.Foreign(Heart(), policy: policy));
        await page.ShowsAsync("0", hearted: false);
        page.Calls.ShouldNotContain("POST /api/v1/reader");
        await page.Button.ClickAsync();
        await page.ShowsAsync("1", hearted: true);
        await page.SettledAsync();
        await page.Page.ReloadAsync();
        await page.ShowsAsync("1", hearted: true);
        (await server.CountAsync(_target)).ShouldBe(1);
        await page.Button.ClickAsync();
        await page.ShowsAsync("0", hearted: false);
        await page.SettledAsync();
        page.Calls.Count(static call => call == "POST /api/v1/reader").ShouldBe(2);
        page.Errors.ShouldBeEmpty();
        (await page.Button.EvaluateAsync<string>("button => getComputedStyle(button).display")).ShouldBe("inline-flex");
    }

    [Theory]
    [InlineData(403, "origin-not-allowed", "This page takes no hearts.")]
    [InlineData(429, "quota-exceeded", "That did not work. Try again later.")]
    public async Task Tap_Refused_IsTakenBackAndTold(int status, string code, string message)
    {
        await server.Gateway.Client.GiveAsync(_target, "somebody");
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Heart()));
        await page.ShowsAsync("1", hearted: false);
        await page.RecordEventsAsync();
        await page.Page.RouteAsync("**/api/v1/hearts", route => route.FulfillAsync(Problem(status, code, retryAfter: 60)));
        await page.Button.ClickAsync();
        await page.WaitForAsync("seen.length === 1");
        (await page.Page.EvaluateAsync<string>("JSON.stringify(seen[0])"))
            .ShouldBe($$"""{"type":"heart-error","targetId":"{{_target}}","code":"{{code}}","status":{{status}},"kept":false}""");
        await page.ShowsAsync("1", hearted: false);
        await Assertions.Expect(page.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync(message);
        (await page.Button.GetAttributeAsync("title")).ShouldBe(message);

        await page.Page.UnrouteAllAsync();
        await page.Button.ClickAsync();
        await page.ShowsAsync("2", hearted: true);
        await Assertions.Expect(page.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("");
    }

    [Theory]
    [InlineData(503, "ledger-unavailable")]
    [InlineData(504, "outcome-unknown")]
    public async Task Tap_AnsweredOnlyAtTheSecondTry_IsGiven(int status, string code)
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Heart()));
        await page.ShowsAsync("0", hearted: false);
        await page.Page.RouteAsync(
            "**/api/v1/hearts", route => route.FulfillAsync(Problem(status, code, retryAfter: 1)), new() { Times = 1 });
        await page.Button.ClickAsync();
        await page.SettledAsync();
        await page.ShowsAsync("1", hearted: true);
        page.Calls.Count(static call => call == "POST /api/v1/hearts").ShouldBe(2);
        (await server.CountAsync(_target)).ShouldBe(1);
    }

    [Fact]
    public async Task Tap_Offline_IsShownKeptAndSentWhenTheNetworkIsBack()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Heart()));
        await page.ShowsAsync("0", hearted: false);
        await page.RecordEventsAsync();
        await page.Page.Context.SetOfflineAsync(true);
        await page.Button.ClickAsync();
        await page.ShowsAsync("1", hearted: true);
        await page.WaitForAsync("seen.some(({ code }) => code === 'offline')");
        (await server.CountAsync(_target)).ShouldBe(0);

        await page.Page.Context.SetOfflineAsync(false);
        await page.WaitForAsync("seen.some(({ type, version }) => type === 'heart-change' && version === 1)");
        await page.ShowsAsync("1", hearted: true);
        (await server.CountAsync(_target)).ShouldBe(1);
    }

    /// <summary>On the way home the tab was closed: the next page of the site sends it, though it shows another heart.</summary>
    [Fact]
    public async Task Tap_OfflineAndThePageClosed_IsSentByTheNextPage()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Heart()));
        await page.ShowsAsync("0", hearted: false);
        await page.Page.Context.SetOfflineAsync(true);
        await page.Button.ClickAsync();
        await page.ShowsAsync("1", hearted: true);
        await page.Page.CloseAsync();
        await page.Page.Context.SetOfflineAsync(false);
        var next = await ButtonPage.OpenAsync(page.Page.Context, server.Own(Heart(HeartClient.Fresh("other"))));
        await next.ShowsAsync("0", hearted: false);
        await next.SettledAsync();
        (await server.CountAsync(_target)).ShouldBe(1);
    }

    [Fact]
    public async Task Tap_OfflineTwice_TheLastWishWins()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Heart()));
        await page.ShowsAsync("0", hearted: false);
        await page.Page.Context.SetOfflineAsync(true);
        await page.Button.ClickAsync();
        await page.ShowsAsync("1", hearted: true);
        await page.Button.ClickAsync();
        await page.ShowsAsync("0", hearted: false);
        await page.Page.Context.SetOfflineAsync(false);
        await page.SettledAsync();
        await page.ShowsAsync("0", hearted: false);
        (await server.CountAsync(_target)).ShouldBe(0);
    }

    /// <summary>Taps faster than answers: the calls follow one another, and the last one decides.</summary>
    [Fact]
    public async Task Tap_ThreeTimesAtOnce_EndsWhereTheReaderStopped()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Heart()));
        await page.ShowsAsync("0", hearted: false);
        await page.Page.EvaluateAsync("() => { const button = document.querySelector('heart-button'); button.toggle(); button.toggle(); button.toggle(); }");
        await page.SettledAsync();
        await page.ShowsAsync("1", hearted: true);
        (await server.CountAsync(_target)).ShouldBe(1);
    }

    [Fact]
    public async Task Keyboard_TabEnterAndSpace_GiveAndTakeBack()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own("<a href=\"#x\">before</a> " + Heart()));
        await page.ShowsAsync("0", hearted: false);
        await page.Page.Keyboard.PressAsync("Tab");
        await page.Page.Keyboard.PressAsync("Tab");
        (await page.Button.EvaluateAsync<string>("button => `${getComputedStyle(button).outlineStyle} ${document.activeElement.localName}`")).ShouldBe("solid heart-button");
        await page.Page.Keyboard.PressAsync("Enter");
        await page.ShowsAsync("1", hearted: true);
        await page.SettledAsync();
        await page.Page.Keyboard.PressAsync("Space");
        await page.ShowsAsync("0", hearted: false);
    }

    [Theory]
    [InlineData("light", "ltr", "en", "Love this, 1.2K (1,234) hearts", "1.2K")]
    [InlineData("dark", "ltr", "zh-CN", "喜欢, 1,234 颗心", "1,234")]
    [InlineData("light", "rtl", "ar", "Love this, 1.2\u00a0ألف (1,234) hearts", "1.2 ألف")]
    public async Task Shown_LightDarkAndRightToLeft_IsAccessibleAndInItsLanguage(string scheme, string direction, string language, string label, string count)
    {
        await using var page = await ButtonPage.OpenAsync(
            browser,
            server.Own($"<div lang=\"{language}\" dir=\"{direction}\">{Heart()}<heart-button target-id=\"{_target}-off\"></heart-button></div>", Style),
            new() { ColorScheme = scheme == "dark" ? ColorScheme.Dark : ColorScheme.Light });
        await page.ShowsAsync("0", hearted: false);
        await page.Button.ClickAsync();
        await page.ShowsAsync("1", hearted: true);
        await page.SettledAsync();
        await page.Page.RouteAsync("**/api/v1/hearts/query", async route =>
        {
            var answer = await route.FetchAsync();
            await route.FulfillAsync(new() { Response = answer, Body = (await answer.TextAsync()).Replace("\"count\":1,\"version\":1", "\"count\":1234,\"version\":9", StringComparison.Ordinal) });
        });
        await page.Page.ReloadAsync();
        await page.ShowsAsync(count, hearted: true);
        (await page.Button.GetAttributeAsync("aria-label")).ShouldBe(label);
        (await page.Page.RunAxe()).Violations.Select(static violation => $"{violation.Id}: {violation.Help}").ShouldBeEmpty();

        var heart = (await page.Page.Locator("[part=heart]").First.BoundingBoxAsync())!;
        var number = (await page.Page.Locator("[part=count]").First.BoundingBoxAsync())!;
        (heart.X < number.X).ShouldBe(direction == "ltr");
        (await page.Page.Locator("[part=heart] svg").First.EvaluateAsync<string>("svg => { svg.getAnimations().forEach((animation) => animation.finish()); return getComputedStyle(svg).fill; }"))
            .ShouldBe(scheme == "dark" ? "rgb(255, 107, 142)" : "rgb(214, 23, 79)");
    }

    [Theory]
    [InlineData(ReducedMotion.Reduce, 0)]
    [InlineData(ReducedMotion.NoPreference, 2)]
    public async Task Tap_MotionAsThePersonLikesIt(ReducedMotion motion, int animations)
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Heart()), new() { ReducedMotion = motion });
        await page.ShowsAsync("0", hearted: false);
        var running = await page.Button.EvaluateAsync<int>(
            "button => { button.click(); return button.getAnimations({ subtree: true }).filter(({ animationName }) => animationName).length; }");
        running.ShouldBe(animations);
        (await page.Button.EvaluateAsync<int>("button => button.getAnimations({ subtree: true }).length") > 0).ShouldBe(animations > 0);
        await page.ShowsAsync("1", hearted: true);
    }

    [Fact]
    public async Task Connected_ManyButtonsOfAPage_AskTogether()
    {
        var targets = Enumerable.Range(0, 150).Select(index => $"{_target}-{index}").ToArray();
        await server.Gateway.Client.GiveAsync(targets[149], "somebody");
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(string.Concat(targets.Select(Heart))));
        await page.ShowsAsync("1", hearted: false, page.Page.Locator("heart-button [part~=button]").Last);
        await page.ShowsAsync("0", hearted: false);
        page.Calls.ShouldBe(["POST /api/v1/hearts/query", "POST /api/v1/hearts/query"]);

        // Those on the screen are live, all over one socket.
        await server.Gateway.Client.GiveAsync(targets[0], "somebody");
        await page.ShowsAsync("1", hearted: false);
        page.Sockets.ShouldBe(1);
    }

    [Fact]
    public async Task Given_InOneWindow_ArrivesInAnother()
    {
        await using var giver = await ButtonPage.OpenAsync(browser, server.Own(Heart()));
        await using var watcher = await ButtonPage.OpenAsync(browser, server.Foreign(Heart()));
        await giver.ShowsAsync("0", hearted: false);
        await watcher.ShowsAsync("0", hearted: false);
        await giver.Button.ClickAsync();
        await watcher.ShowsAsync("1", hearted: false);
        await giver.Button.ClickAsync();
        await watcher.ShowsAsync("0", hearted: false);
        watcher.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task Tap_TwoButtonsOfOneTarget_AgreeAtOnce()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own(Heart() + Heart()));
        await page.ShowsAsync("0", hearted: false);
        await page.Button.ClickAsync();
        await page.ShowsAsync("1", hearted: true, page.Page.Locator("heart-button [part~=button]").Last);
    }

    [Theory]
    [InlineData("", "?utm_source=x&id=7&fbclid=y#part", "?id=7")]
    [InlineData("<link rel=\"canonical\" href=\"https://blog.example.com/post?utm_source=kept\">", "?id=7", "https://blog.example.com/post?utm_source=kept")]
    public async Task TargetId_NotGiven_IsWhatThePageCallsItself(string head, string query, string expected)
    {
        var url = server.Own("<heart-button></heart-button>", head);
        await using var page = await ButtonPage.OpenAsync(browser, new Uri(url + query));
        await page.ShowsAsync("0", hearted: false);
        (await page.Page.EvaluateAsync<string>("document.querySelector('heart-button').targetId")).ShouldBe(new Uri(url, expected).ToString());
    }

    [Fact]
    public async Task TargetId_Changed_ShowsTheOther()
    {
        await server.Gateway.Client.GiveAsync(_target, "u1");
        await using var page = await ButtonPage.OpenAsync(browser, server.Own($"<heart-button target-id=\"{_target}-none\" user-id=\"u1\"></heart-button>"));
        await page.ShowsAsync("0", hearted: false);
        await page.Page.EvaluateAsync("target => document.querySelector('heart-button').setAttribute('target-id', target)", _target);
        await page.ShowsAsync("1", hearted: true);
    }

    [Fact]
    public async Task Label_AndLabelOn_AreWhatAScreenReaderSays()
    {
        await using var page = await ButtonPage.OpenAsync(
            browser, server.Own($"<heart-button target-id=\"{_target}\" label=\"Like\" label-on=\"Liked\"></heart-button>"));
        await Assertions.Expect(page.Button).ToHaveAttributeAsync("aria-label", "Like, 0 hearts");
        await page.Button.ClickAsync();
        await Assertions.Expect(page.Button).ToHaveAttributeAsync("aria-label", "Liked, 1 heart");
    }

    [Fact]
    public async Task Api_OfAnotherGateway_IsTheOneAsked()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own("<p>empty</p>"));
        await page.Page.RouteAsync("http://other.test/api/v1/hearts/query", route => route.FulfillAsync(new()
        {
            ContentType = "application/json",
            Headers = new Dictionary<string, string> { ["Access-Control-Allow-Origin"] = "*" },
            Body = $$"""{"hearts":[{"target_id":"{{_target}}","count":7,"version":9,"opening":40}]}""",
        }));
        await page.Page.EvaluateAsync(
            "target => { document.body.innerHTML = `<heart-button api=\"http://other.test/\" target-id=\"${target}\"></heart-button>`; }", _target);
        await page.ShowsAsync("47", hearted: false);
    }

    [Fact]
    public async Task TargetId_TooLong_IsTold()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Own("<script>window.seen = []; addEventListener('heart-error', ({ detail }) => seen.push(detail.code))</script>" + Heart(new string('x', 257))));
        await page.WaitForAsync("seen[0] === 'target-invalid'");
        page.Calls.ShouldBeEmpty();
    }

    private const string Style = "<style>html { color-scheme: light dark; background: light-dark(#fff, #15171c); color: light-dark(#222, #eee) }</style>";

    private string Heart() => Heart(_target);

    internal static string Heart(string target) => $"<heart-button target-id=\"{target}\"></heart-button>";

    private static RouteFulfillOptions Problem(int status, string code, int retryAfter) => new()
    {
        Status = status,
        ContentType = "application/problem+json",
        Headers = new Dictionary<string, string> { ["Retry-After"] = $"{retryAfter}" },
        Body = JsonSerializer.Serialize(new { status, code }),
    };
}
