using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Infrastructure;

namespace HeartGrains.Tests.Embed;

/// <summary>The button in a real browser, over a real gateway.</summary>
[Collection(nameof(BrowserCollection))]
public sealed class ButtonTests(LocalBrowser browser, GatewayServer gateway) : IClassFixture<GatewayServer>
{
    [Fact]
    public async Task Looks()
    {
        var rows = "";
        foreach (var user in (string[])["a", "b"])
            rows += $"<p><heart-button target-id=\"one\" user-id=\"{user}\"></heart-button> <heart-button target-id=\"two\" user-id=\"{user}\"></heart-button> <heart-button style=\"--heart-size:2.5em\" target-id=\"big\" user-id=\"{user}\"></heart-button> <heart-button class=bare target-id=\"bare\" user-id=\"{user}\"></heart-button></p>";
        for (var i = 0; i < 1234; i++) await gateway.Client.GiveAsync("two", "x" + i);
        await gateway.Client.GiveAsync("one", "a");
        await gateway.Client.GiveAsync("two", "a");
        await gateway.Client.GiveAsync("big", "a");
        await gateway.Client.GiveAsync("bare", "a");
        var style = "<style>body{font:16px system-ui,sans-serif;margin:2em}.dark{background:#16181d;color:#eee;color-scheme:dark;padding:.2em 1em}.bare{--heart-border:transparent;--heart-background:none;--heart-padding:0}</style>";
        await using var page = await ButtonPage.OpenAsync(browser, new Uri(gateway.Url, gateway.Pages.Add($"<div style='padding:.2em 1em'>{rows}</div><div class=dark>{rows}</div><div dir=rtl lang=ar style='padding:.2em 1em'>{rows}</div><div lang=zh style='padding:.2em 1em;font-size:24px'>{rows}</div>", style + ButtonPage.Script(gateway.Url))),
            new() { DeviceScaleFactor = 2, ViewportSize = new() { Width = 560, Height = 820 } });
        await page.ShowsAsync("1", true);
        await page.Page.ScreenshotAsync(new() { Path = "/tmp/hB-looks.png" });
        await page.Page.Locator("heart-button button").Nth(4).ClickAsync();
        for (var i = 0; i < 5; i++)
        {
            await page.Page.WaitForTimeoutAsync(60);
            await page.Page.Locator("p").Nth(1).ScreenshotAsync(new() { Path = $"/tmp/hB-pop{i}.png" });
        }
        Console.WriteLine(string.Join("\n", page.Errors.Concat(page.Calls)));
    }
}
