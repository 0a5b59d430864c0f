using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Playwright;

namespace HeartGrains.Tests.Sites;

/// <summary>Pages of other origins in a real browser: who is let in, who is whom, and what another page can do in a reader's name.</summary>
public sealed class CrossOriginTests(LocalBrowser browser) : IAsyncLifetime
{
    private readonly GatewayServer _gateway = new($"--HeartGrains:Sites=https://{TlsFront.Hearts}:*,http://{TlsFront.Hearts}:*,https://blog.site.test:*,https://*.wide.test:*,http://blog.site.test:*", "--HeartGrains:TrustedProxies=127.0.0.1");
    private readonly string _target = HeartClient.Fresh("t");
    private TlsFront _front = null!;
    private IBrowserContext _person = null!;

    public async ValueTask InitializeAsync()
    {
        await _gateway.InitializeAsync();
        _front = await TlsFront.StartAsync(_gateway.Url);
        _person = await browser.PersonAsync(new() { IgnoreHTTPSErrors = true });
    }

    public async ValueTask DisposeAsync()
    {
        await _person.DisposeAsync();
        await _front.DisposeAsync();
        await _gateway.DisposeAsync();
    }

    /// <summary>Third-party cookies of ours are partitioned: one reader for each site, kept over a reload.</summary>
    [Fact]
    public async Task Give_FromPagesOfTwoAllowedSites_IsOneReaderForEach()
    {
        var blog = await OpenAsync($"https://blog.site.test:{_front.TlsPort}/");
        (await CallAsync(blog, "POST", "reader")).ShouldBe("""200 {"stored":"cookie"}""");
        (await CallAsync(blog, "GET", "reader")).ShouldBe("""200 {"known":true}""");
        (await GiveAsync(blog)).ShouldStartWith("201");
        await blog.ReloadAsync();
        (await GiveAsync(blog)).ShouldStartWith("200");
        (await CallAsync(blog, "GET", $"hearts?target_id={_target}")).ShouldContain("\"count\":1,\"version\":1,\"hearted\":true");

        var cookie = (await _person.CookiesAsync()).Single();
        (cookie.HttpOnly, cookie.Secure, cookie.SameSite, cookie.PartitionKey).ShouldBe((true, true, SameSiteAttribute.None, "https://site.test"));

        var wide = await OpenAsync($"https://a.b.wide.test:{_front.TlsPort}/");
        (await CallAsync(wide, "GET", $"hearts?target_id={_target}")).ShouldEndWith("\"count\":1,\"version\":1}");
        (await GiveAsync(wide)).ShouldContain("\"count\":2");
    }

    /// <summary>Over plain HTTP no browser keeps a third-party cookie: the page keeps a token by itself, and it is good for its own site alone.</summary>
    [Fact]
    public async Task Give_WhereCookiesAreBlocked_IsTheReaderOfTheElementsToken()
    {
        var blog = await OpenAsync($"http://blog.site.test:{_front.PlainPort}/");
        (await CallAsync(blog, "POST", "reader")).ShouldBe("""200 {"stored":"cookie"}""");
        (await CallAsync(blog, "GET", "reader")).ShouldBe("""200 {"known":false}""");

        var token = (await CallAsync(blog, "POST", "reader?store=element"))["200 {\"stored\":\"element\",\"token\":\"".Length..^2];
        (await GiveAsync(blog, token)).ShouldStartWith("201");
        (await GiveAsync(blog, token)).ShouldStartWith("200");
        (await CallAsync(blog, "GET", $"hearts?target_id={_target}", token: token)).ShouldContain("\"hearted\":true");

        var wide = await OpenAsync($"https://c.wide.test:{_front.TlsPort}/");
        (await CallAsync(wide, "GET", $"hearts?target_id={_target}", token: token)).ShouldNotContain("hearted");
    }

    [Theory]
    [InlineData("https://evil.test")]
    [InlineData("https://wide.test")]
    [InlineData("https://site.test")]
    public async Task Call_FromAPageOfAnotherSite_IsNotReadable(string origin)
    {
        var page = await OpenAsync($"{origin}:{_front.TlsPort}/");
        (await CallAsync(page, "GET", $"hearts?target_id={_target}")).ShouldBe("TypeError");
        (await GiveAsync(page)).ShouldBe("TypeError");
        await ShouldHaveAsync(0);
    }

    /// <summary>A request that needs no preflight reaches us, cookie and all, from a page of the same site that is not allowed: nothing happens.</summary>
    [Fact]
    public async Task Change_ByAPageThatIsNotAllowedWithTheReadersCookie_IsRefused()
    {
        var own = await OpenAsync($"https://{TlsFront.Hearts}:{_front.TlsPort}/nothing-here");
        (await GiveAsync(own)).ShouldStartWith("201");

        // Sub-domains are the same site, so that a Lax cookie is sent.
        var evil = await OpenAsync($"https://evil.{TlsFront.Hearts}:{_front.TlsPort}/");
        await evil.EvaluateAsync("url => fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include' })", Url("reader"));
        var refused = await evil.EvaluateAsync<string>("url => fetch(url, { method: 'DELETE', credentials: 'include' }).then(r => '' + r.status, e => e.name)", Url($"hearts?target_id={_target}"));
        refused.ShouldBe("TypeError");
        await ShouldHaveAsync(1);
        (await CallAsync(own, "DELETE", $"hearts?target_id={_target}")).ShouldContain("\"removed\":true");
    }

    private async Task<IPage> OpenAsync(string url)
    {
        var page = await _person.NewPageAsync();
        await page.GotoAsync(url);
        return page;
    }

    private Task<string> GiveAsync(IPage page, string? token = null) => CallAsync(page, "POST", "hearts", $$"""{"target_id":"{{_target}}"}""", token);

    private Task<string> CallAsync(IPage page, string method, string path, string? body = null, string? token = null) => page.EvaluateAsync<string>(
        """
        async ([url, method, body, token]) => {
            const headers = {};
            if (body) headers["Content-Type"] = "application/json";
            if (token) headers["Heart-Reader"] = token;
            try {
                const answer = await fetch(url, { method, body, headers, credentials: "include" });
                return answer.status + " " + await answer.text();
            } catch (error) {
                return error.name;
            }
        }
        """,
        new[] { Url(path, page), method, body, token });

    private string Url(string path, IPage? page = null) => page?.Url.StartsWith("http:", StringComparison.Ordinal) is true
        ? $"http://{TlsFront.Hearts}:{_front.PlainPort}/api/v1/{path}"
        : $"https://{TlsFront.Hearts}:{_front.TlsPort}/api/v1/{path}";

    private async Task ShouldHaveAsync(int count) =>
        (await _gateway.Client.ReadAsync(_target).JsonAsync()).GetProperty("count").GetInt32().ShouldBe(count);
}
