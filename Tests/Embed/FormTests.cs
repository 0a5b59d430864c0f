using System.Net;
using Deque.AxeCore.Playwright;
using HeartGrains.Tests.Gateway;
using HeartGrains.Tests.Infrastructure;
using Microsoft.Playwright;

namespace HeartGrains.Tests.Embed;

/// <summary>The heart of a page without JavaScript.</summary>
public sealed class FormTests(LocalBrowser browser, EmbeddingServer server) : IClassFixture<EmbeddingServer>
{
    private const string Path = "/api/v1/hearts/form";
    private static readonly BrowserNewContextOptions NoScript = new() { JavaScriptEnabled = false };
    private readonly string _target = HeartClient.Fresh("t");

    [Fact]
    public async Task Post_FromAnotherSiteWithoutJavaScript_GivesTheHeartOnceAndComesBack()
    {
        var url = server.Foreign($"<heart-button target-id=\"{_target}\">{Form()}</heart-button>");
        await using var page = await ButtonPage.OpenAsync(browser, url, NoScript);
        await PressAsync(page, "Love this", url);
        (await server.CountAsync(_target)).ShouldBe(1);
        await PressAsync(page, "Love this", url);
        (await server.CountAsync(_target)).ShouldBe(1);
    }

    /// <summary>On our own pages the reader has a cookie, and with it a heart of their own.</summary>
    [Fact]
    public async Task Post_FromAnOwnPage_IsTheReadersOfTheCookie()
    {
        var url = server.Own(Form() + Form("withdraw", "Take back"));
        await using var page = await ButtonPage.OpenAsync(browser, url, NoScript);
        await using var other = await ButtonPage.OpenAsync(browser, url, NoScript);
        await PressAsync(page, "Love this", url);
        await PressAsync(other, "Love this", url);
        (await server.CountAsync(_target)).ShouldBe(2);
        await PressAsync(page, "Take back", url);
        (await server.CountAsync(_target)).ShouldBe(1);
    }

    /// <summary>Where the script runs, the form is not seen.</summary>
    [Fact]
    public async Task Form_WithJavaScript_IsReplacedByTheButton()
    {
        await using var page = await ButtonPage.OpenAsync(browser, server.Foreign($"<heart-button target-id=\"{_target}\">{Form()}</heart-button>"));
        await page.ShowsAsync("0", hearted: false);
        await Assertions.Expect(page.Page.Locator("form")).ToBeHiddenAsync();
    }

    [Fact]
    public async Task Post_FromASiteThatIsNotAllowed_IsAReadablePageWithTheWayBack()
    {
        var url = new Uri(server.Site.At("stranger.test"), server.Site.Pages.Add(Form()));
        await using var page = await ButtonPage.OpenAsync(browser, url);
        var answer = await page.Page.RunAndWaitForResponseAsync(
            () => page.Page.GetByRole(AriaRole.Button, new() { Name = "Love this" }).ClickAsync(), response => response.Url.EndsWith(Path, StringComparison.Ordinal));
        answer.Status.ShouldBe(403);
        await Assertions.Expect(page.Page.GetByRole(AriaRole.Main).GetByRole(AriaRole.Heading)).ToHaveTextAsync("That did not work");
        await Assertions.Expect(page.Page.GetByRole(AriaRole.Link)).ToHaveCSSAsync("display", "inline-block");
        (await page.Page.RunAxe()).Violations.ShouldBeEmpty();
        (await page.Page.GetByRole(AriaRole.Link).GetAttributeAsync("href")).ShouldBe(new Uri(url, "/").ToString());
        (await server.CountAsync(_target)).ShouldBe(0);
    }

    [Theory]
    [InlineData("https://evil.example/", "/")]
    [InlineData("javascript:alert(1)", "/")]
    [InlineData("//evil.example/", "/")]
    [InlineData("http://site.test@evil.example/", "/")]
    [InlineData("http://site.test:81/post?a=1#c", "http://site.test:81/post?a=1#c")]
    public async Task Post_Return_LeadsToAllowedSitesOnly(string wanted, string location)
    {
        using var answer = await PostAsync(("target_id", _target), ("return", wanted));
        answer.StatusCode.ShouldBe(HttpStatusCode.SeeOther);
        answer.Headers.Location!.OriginalString.ShouldBe(location);
    }

    [Fact]
    public async Task Post_InvalidFields_TellsThemAsTextAndGivesNothing()
    {
        using var answer = await PostAsync(("target_id", _target), ("<b>", "x"), ("action", "hate"));
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        answer.Content.Headers.ContentType!.ToString().ShouldBe("text/html; charset=utf-8");
        var html = await answer.Content.ReadAsStringAsync();
        html.ShouldContain("is not a field of this request");
        html.ShouldNotContain("<b>");
        (await server.CountAsync(_target)).ShouldBe(0);
    }

    [Theory]
    [InlineData("zh-CN,zh;q=0.9", "zh-Hans", "没有成功")]
    [InlineData("tlh", "en", "That did not work")]
    public async Task Post_Refused_IsToldInTheReadersLanguage(string accepted, string tag, string words)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = new FormUrlEncodedContent([]) };
        request.Headers.TryAddWithoutValidation("Accept-Language", accepted);
        using var answer = await server.Gateway.Client.SendAsync(request);
        answer.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        answer.Content.Headers.ContentLanguage.ShouldBe([tag]);
        var html = await answer.Content.ReadAsStringAsync();
        html.ShouldContain($"<html lang=\"{tag}\">");
        html.ShouldContain($"<h1>{words}</h1>");
    }

    [Fact]
    public async Task Post_Json_IsRefused()
    {
        using var answer = await server.Gateway.Client.PostJsonAsync(Path, "{}");
        answer.StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
    }

    [Fact]
    public async Task Post_TooLarge_IsRefused()
    {
        using var answer = await PostAsync(("target_id", _target), ("return", new string('x', 20_000)));
        answer.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }

    /// <summary>Presses a button, and sees the page come back.</summary>
    private static Task<IResponse> PressAsync(ButtonPage page, string name, Uri back) => page.Page.RunAndWaitForResponseAsync(
        () => page.Page.GetByRole(AriaRole.Button, new() { Name = name }).ClickAsync(),
        response => response.Url == back.ToString() && response.Request.RedirectedFrom?.Method == "POST");

    private string Form(string action = "give", string name = "Love this") =>
        $"<form method=\"post\" action=\"{new Uri(server.Gateway.Url, Path)}\" accept-charset=\"utf-8\"><input type=\"hidden\" name=\"target_id\" value=\"{_target}\">"
        + $"<input type=\"hidden\" name=\"return\" value=\"{{page}}\"><button name=\"action\" value=\"{action}\">{name}</button></form>";

    private async Task<HttpResponseMessage> PostAsync(params (string Name, string Value)[] fields)
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = server.Gateway.Url };
        using var form = new FormUrlEncodedContent(fields.Select(static field => KeyValuePair.Create(field.Name, field.Value)));
        return await client.PostAsync(Path, form);
    }
}
