using HeartGrains.Tests.Infrastructure;
using HeartGrains.Tests.Pages;
using Microsoft.Playwright;

namespace HeartGrains.Tests.OpenApi;

/// <summary>The page that shows the document, in a browser.</summary>
public sealed class DocsPageTests(LocalBrowser browser, ApiServer server) : IClassFixture<ApiServer>
{
    /// <summary>As on a machine that reaches nothing else.</summary>
    [Fact]
    public async Task Docs_InABrowser_ShowEveryCallAndAskNobodyElse()
    {
        await using var visit = await Visit.OpenAsync(browser, new Uri(server.Gateway.Url, "/docs/"), new() { ViewportSize = new() { Width = 1280, Height = 900 } });
        await Assertions.Expect(visit.Page.Locator("body")).ToContainTextAsync("HeartGrains");

        var menu = visit.Page.Locator("aside");
        var closed = menu.Locator("button[aria-expanded='false']");
        while (await closed.CountAsync() > 0) await closed.First.ClickAsync();
        server.Api.Calls.Count.ShouldBeGreaterThan(40);
        foreach (var call in server.Api.Calls) await Assertions.Expect(menu.GetByText(call.Operation["summary"]!.GetValue<string>(), new() { Exact = true }).First).ToBeVisibleAsync();

        // The last one is read like the first, which is there from the beginning.
        var last = server.Api.Calls[^1].Operation;
        await menu.GetByText(last["summary"]!.GetValue<string>(), new() { Exact = true }).First.ClickAsync();
        await Assertions.Expect(visit.Page.GetByText(last["description"]!.GetValue<string>()).First).ToBeVisibleAsync();
        await visit.Page.EvaluateAsync("() => new Promise(resolve => requestIdleCallback(resolve))");
        await visit.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);

        visit.ForeignRequests.ShouldBeEmpty();
        visit.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task Docs_Page_SaysThatNothingElseMayBeAsked()
    {
        using var answer = await server.Client.GetAsync("/docs/");
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        policy.ShouldContain("default-src 'none'");
        policy.ShouldContain("connect-src 'self'");
        policy.ShouldNotContain("http");
        policy.ShouldNotContain("script-src 'self' 'unsafe");
        (await server.Client.GetStringAsync("/docs/")).ShouldNotContain(policy.Split('\'').First(static part => part.StartsWith("nonce-", StringComparison.Ordinal))["nonce-".Length..], Case.Sensitive, "a nonce is used once");
    }
}
