using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Playwright;

namespace HeartGrains.Tests.Embed;

/// <summary>A person's browser on a page with buttons.</summary>
internal sealed class ButtonPage : IAsyncDisposable
{
    private readonly Channel<string> _heard = Channel.CreateUnbounded<string>();
    private IWebSocketRoute? _socket;

    private ButtonPage(IPage page) => Page = page;

    public IPage Page { get; }

    /// <summary>What the console was told as an error: thrown, refused by a policy, not found.</summary>
    public List<string> Errors { get; } = [];

    /// <summary>Calls of the API, as <c>POST /api/v1/hearts</c>.</summary>
    public List<string> Calls { get; } = [];

    /// <summary>How many sockets were opened.</summary>
    public int Sockets { get; private set; }

    /// <summary>The first button of the page.</summary>
    public ILocator Button => Page.Locator("heart-button [part~=button]").First;

    /// <summary>Opens a page as somebody new.</summary>
    /// <param name="browser">The browser.</param>
    /// <param name="url">The page.</param>
    /// <param name="options">What that person likes.</param>
    /// <param name="live">The test plays the live server.</param>
    /// <param name="hangUp">And takes no connection.</param>
    public static async Task<ButtonPage> OpenAsync(
        LocalBrowser browser, Uri url, BrowserNewContextOptions? options = null, bool live = false, bool hangUp = false)
    {
        var person = await browser.PersonAsync(options);
        var page = new ButtonPage(await person.NewPageAsync());
        page.Listen();
        if (live) await page.Page.RouteWebSocketAsync("**/api/v1/live", socket => page.Accept(socket, hangUp));
        await page.Page.GotoAsync(url.ToString());
        return page;
    }

    /// <summary>Opens a window of somebody who has others.</summary>
    public static async Task<ButtonPage> OpenAsync(IBrowserContext person, Uri url)
    {
        var page = new ButtonPage(await person.NewPageAsync());
        page.Listen();
        await page.Page.GotoAsync(url.ToString());
        return page;
    }

    /// <summary>The next message the page sends to the live server.</summary>
    public async Task<string> HearAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        return await _heard.Reader.ReadAsync(patience.Token);
    }

    /// <summary>An update of the live server.</summary>
    public void Tell(string target, long count, long version) =>
        _socket!.Send(JsonSerializer.Serialize(new { updates = new[] { new { target_id = target, count, version } } }));

    /// <summary>The live server ends the connection.</summary>
    public Task HangUpAsync() => _socket!.CloseAsync();

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

    /// <summary>Waits until every wish is answered.</summary>
    public Task SettledAsync() =>
        WaitForAsync("Object.entries(localStorage).every(([key, kept]) => !key.startsWith('heart-wishes') || kept === '{}')");

    /// <summary>Waits until an expression is true. Asked from here: a page with a policy would refuse to poll it.</summary>
    public async Task WaitForAsync(string condition)
    {
        var waited = Stopwatch.StartNew();
        while (!await Page.EvaluateAsync<bool>(condition))
        {
            waited.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(30), condition);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    public ValueTask DisposeAsync() => Page.Context.DisposeAsync();

    private void Accept(IWebSocketRoute socket, bool hangUp)
    {
        Sockets++;
        _socket = socket;
        if (hangUp) _ = socket.CloseAsync();
        else socket.OnMessage(frame => _heard.Writer.TryWrite(frame.Text!));
    }

    private void Listen()
    {
        Page.Console += (_, message) =>
        {
            if (message.Type == "error" && !message.Location.Contains("favicon", StringComparison.Ordinal)) Errors.Add(message.Text);
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
