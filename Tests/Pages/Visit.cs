using HeartGrains.Tests.Infrastructure;
using Microsoft.Playwright;

namespace HeartGrains.Tests.Pages;

/// <summary>A person on one of our pages, and what their browser had to complain about.</summary>
internal sealed class Visit : IAsyncDisposable
{
    private Visit(IPage page) => Page = page;

    public IPage Page { get; }

    /// <summary>What went to another host or port, or was of another scheme than a page of ours needs.</summary>
    public List<string> ForeignRequests { get; } = [];

    /// <summary>Exceptions of scripts, and what the console was told as an error: also what the Content-Security-Policy refused.</summary>
    public List<string> Errors { get; } = [];

    public ILocator Heart => Page.Locator("heart-button button[aria-pressed]").First;

    public static async Task<Visit> OpenAsync(LocalBrowser browser, Uri url, BrowserNewContextOptions? options = null)
    {
        options ??= new();
        options.ReducedMotion ??= ReducedMotion.Reduce;
        options.Locale ??= "en";
        return await OpenAsync(await browser.PersonAsync(options), url);
    }

    /// <summary>One more window of somebody who has others.</summary>
    public static async Task<Visit> OpenAsync(IBrowserContext person, Uri url)
    {
        var visit = new Visit(await person.NewPageAsync());
        visit.Listen(url.Authority);
        await visit.Page.GotoAsync(url.ToString());
        return visit;
    }

    public Task SaysAsync(string selector, string text) => Assertions.Expect(Page.Locator(selector)).ToContainTextAsync(text);

    public Task ShowsAsync(string selector, long number) => Assertions.Expect(Page.Locator(selector)).ToHaveTextAsync($"{number}");

    public ValueTask DisposeAsync() => Page.Context.DisposeAsync();

    private void Listen(string authority)
    {
        Page.Request += (_, request) => Note(request.Url);
        Page.WebSocket += (_, socket) => Note(socket.Url);
        Page.PageError += (_, error) => Errors.Add(error);
        Page.Console += (_, message) =>
        {
            if (message.Type == "error") Errors.Add(message.Text);
        };

        void Note(string url)
        {
            if (!url.StartsWith("data:", StringComparison.Ordinal) && new Uri(url).Authority != authority) ForeignRequests.Add(url);
        }
    }
}
