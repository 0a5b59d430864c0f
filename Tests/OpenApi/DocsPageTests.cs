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

        foreach (var call in server.Api.Calls.Take(3)) await Assertions.Expect(visit.Page.GetByText(call.Operation["summary"]!.GetValue<string>()).First).ToBeVisibleAsync();
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
