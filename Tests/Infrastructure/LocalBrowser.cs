using HeartGrains.Tests.Infrastructure;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(LocalBrowser))]

namespace HeartGrains.Tests.Infrastructure;

/// <summary>Debian's Chromium, driven by Playwright, one for all test classes. Started when first asked for; each test opens contexts of its own, which share nothing.</summary>
public sealed class LocalBrowser : IAsyncLifetime
{
    // The shell has no window to draw and takes less than half the processor time; where Debian has none, the whole Chromium does.
    private static readonly string Program = File.Exists("/usr/bin/chromium-headless-shell") ? "/usr/bin/chromium-headless-shell" : "/usr/bin/chromium";

    // No sandbox: Chromium refuses one to root. Names under .test are this machine, so that pages have sites of their own.
    private static readonly string[] Arguments = ["--no-sandbox", "--host-resolver-rules=MAP *.test 127.0.0.1"];

    private readonly SemaphoreSlim _starting = new(1, 1);
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>A person's browser: cookies, storage and windows of its own.</summary>
    public async Task<IBrowserContext> PersonAsync(BrowserNewContextOptions? options = null)
    {
        var context = await (await BrowserAsync()).NewContextAsync(options);
        context.SetDefaultTimeout(15_000);
        return context;
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
        _starting.Dispose();
    }

    private async Task<IBrowser> BrowserAsync()
    {
        await _starting.WaitAsync();
        try
        {
            _playwright ??= await Playwright.CreateAsync();
            return _browser ??= await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Program, Args = Arguments });
        }
        finally
        {
            _starting.Release();
        }
    }
}
