using HeartGrains.Tests.Infrastructure;
using Microsoft.Playwright;

namespace HeartGrains.Tests.Embed;

/// <summary>A person's browser on a page with buttons.</summary>
internal sealed class ButtonPage : IAsyncDisposable
{
    private ButtonPage(IPage page) => Page = page;

    public IPage Page { get; }

    /// <summary>What the console was told as an error: thrown, refused by a policy, not found.</summary>
    public List<string> Errors { get; } = [];

    /// <summary>Calls of the API, as <c>POST /api/v1/hearts</c>.</summary>
    public List<string> Calls { get; } = [];

    /// <summary>How many sockets were opened.</summary>
    public int Sockets { get; private set; }

    /// <summary>The first button of the page.</summary>
    public ILocator Button => Page.Locator("heart-button button").First;

    public static async Task<ButtonPage> OpenAsync(LocalBrowser browser, Uri url, BrowserNewContextOptions? options = null)
    {
        var person = await browser.PersonAsync(options);
        return await OpenAsync(person, url);
    }

    /// <summary>A window of somebody who may have others.</summary>
    public static async Task<ButtonPage> OpenAsync(IBrowserContext person, Uri url)
    {
        var page = new ButtonPage(await person.NewPageAsync());
        page.Listen();
        await page.Page.GotoAsync(url.ToString());
        return page;
    }

    /// <summary>The element that includes the script of a gateway.</summary>
    public static string Script(Uri gateway) => $"<script type=\"module\" src=\"{new Uri(gateway, "/heart-button.js")}\"></script>";

    /// <summary>Waits until a button, the first if none is named, shows this.</summary>
    public async Task ShowsAsync(string count, bool hearted, ILocator? button = null)
    {
        await Assertions.Expect((button ?? Button).Locator("[part=count]")).ToHaveTextAsync(count);
        await Assertions.Expect(button ?? Button).ToHaveAttributeAsync("aria-pressed", hearted ? "true" : "false");
    }

    /// <summary>Events of the buttons from now on, as JSON, in the order they came.</summary>
    public Task RecordEventsAsync() => Page.EvaluateAsync(
        "() => { window.seen = []; for (const type of ['heart-change', 'heart-error']) addEventListener(type, (event) => seen.push({ type, ...event.detail })); }");

    public Task WaitForAsync(string condition) => Page.WaitForFunctionAsync(condition);

    public ValueTask DisposeAsync() => Page.Context.DisposeAsync();

    private void Listen()
    {
        Page.Console += (_, message) =>
        {
            if (message.Type == "error") Errors.Add(message.Text);
        };
        Page.PageError += (_, error) => Errors.Add(error);
        Page.Request += (_, request) =>
        {
            var path = new Uri(request.Url).AbsolutePath;
            if (path.StartsWith("/api/", StringComparison.Ordinal)) Calls.Add($"{request.Method} {path}");
        };
        Page.WebSocket += (_, _) => Sockets++;
    }
}
