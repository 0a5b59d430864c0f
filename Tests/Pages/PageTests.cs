using System.Net;
using System.Net.Sockets;
using HeartGrains.Gateway.Pages;
using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.Pages;

/// <summary>What the server says when asked for a page.</summary>
public sealed class PageTests(PageServer server) : IClassFixture<PageServer>
{
    private const int WholePageLimit = 60 * 1024;

    private readonly HttpClient _client = server.Gateway.Client;

    [Theory]
    [InlineData("", null, "en")]
    [InlineData("", "zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans")]
    [InlineData("", "ZH", "zh-Hans")]
    [InlineData("", "en-GB,zh;q=0.5", "en")]
    [InlineData("", "zh;q=0.5,en;q=0.7", "en")]
    [InlineData("", "zh;q=0,en;q=0.1", "en")]
    [InlineData("", "tlh, zh;q=0.1", "zh-Hans")]
    [InlineData("", "tlh", "en")]
    [InlineData("", "not a \u0001 list;;;", "en")]
    [InlineData("?lang=zh", "en", "zh-Hans")]
    [InlineData("?lang=zh-TW", "en", "zh-Hans")]
    [InlineData("?lang=en", "zh", "en")]
    [InlineData("?lang=tlh", "zh", "zh-Hans")]
    [InlineData("?lang=", "zh", "zh-Hans")]
    [InlineData("?lang=zh&lang=en", "zh", "zh-Hans")]
    public async Task Get_InALanguage_IsInTheOneChosenElseInTheOnePreferred(string query, string? accepted, string expected)
    {
        foreach (var path in (string[])["/", "/demo"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path + query);
            if (accepted is not null) request.Headers.TryAddWithoutValidation("Accept-Language", accepted);
            using var response = await _client.SendAsync(request);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            response.Content.Headers.ContentLanguage.ShouldBe([expected]);
            response.Headers.Vary.ShouldContain("Accept-Language");
            var html = await response.Content.ReadAsStringAsync();
            html.ShouldContain($"<html lang=\"{expected}\">");
            html.ShouldContain($"<link rel=\"alternate\" hreflang=\"zh-Hans\" href=\"{path}?lang=zh\">");
            html.ShouldContain("<meta property=\"og:title\" content=\"");
            html.ShouldNotContain("{{");
            html.ShouldNotContain("[[");
        }
    }

    [Fact]
    public async Task Get_HostOfSignsThatMeanSomethingInHtml_IsEscaped()
    {
        // HttpClient would not send such a host.
        using var connection = new TcpClient(server.Gateway.Url.Host, server.Gateway.Url.Port);
        await connection.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: a&quot'b\r\nConnection: close\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(connection.GetStream());
        var html = await reader.ReadToEndAsync();
        html.ShouldContain("curl http://a&amp;quot&#x27;b/api/v1/hearts");
        html.ShouldNotContain("a&quot'b");
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/demo")]
    public async Task Head_IsGetWithoutBody(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, path);
        using var response = await _client.SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentLength!.Value.ShouldBeGreaterThan(1000);
        (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/demo")]
    public async Task Get_WithAllItLoads_IsSmall(string path)
    {
        var size = (await _client.GetByteArrayAsync(path)).Length;
        foreach (var asset in PageAsset.All)
        {
            using var response = await _client.GetAsync(asset.Path);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            response.Headers.CacheControl!.ToString().ShouldContain("immutable");
            size += (await response.Content.ReadAsByteArrayAsync()).Length;
        }

        size.ShouldBeLessThan(WholePageLimit);
    }

    [Fact]
    public async Task Get_ProtocolSwitchedOff_NamesTheSettingThatSwitchesItOn()
    {
        await using var gateway = new GatewayServer("--HeartGrains:Applause:Enabled=true");
        await gateway.InitializeAsync();
        var html = await gateway.Client.GetStringAsync("/");
        html.ShouldContain("HeartGrains:OpenHeart:Enabled=true switches it on");
        html.ShouldNotContain("HeartGrains:Applause:Enabled");
    }

    [Fact]
    public void Languages_AllHaveTheSameWords()
    {
        PageLanguages.All.Count.ShouldBeGreaterThan(1);
        foreach (var language in PageLanguages.All)
        {
            language.Texts.Keys.ShouldBe(PageLanguages.All[0].Texts.Keys, $"in {language.Code}");
            language.Texts.Values.ShouldAllBe(static text => text.Length > 0);
        }
    }

    [Fact]
    public void Template_NameThatNothingKnows_IsRefused() =>
        Should.Throw<InvalidOperationException>(static () => new PageTemplate("home.html", new Dictionary<string, string>(), [])).Message.ShouldContain("Nothing is known by the name");

    [Fact]
    public void Template_WhatIsInserted_IsEscaped()
    {
        var texts = PageLanguages.All[0].Texts.ToDictionary(static pair => pair.Key, static pair => pair.Key == "lang" ? "\"<&'" : pair.Value);
        var names = (string[])["origin", "button", "integrity", "kept", "tab.element.more", "tab.open.more", "tab.applause.more", "tab.form.more", "tab.badge.more", "tab.curl.more", "code", "languages", "alternates", "metrics", "dashboard", "style", "style-without-script", "script", "icon"];
        new PageTemplate("home.html", texts, names).Render(names.ToDictionary(static name => name, static _ => "<x>"))
            .ShouldContain("<html lang=\"&quot;&lt;&amp;&#x27;\">");
    }
}

/// <summary>Pages switched off.</summary>
public sealed class PagesOffTests
{
    [Fact]
    public async Task Get_SwitchedOff_IsNotFound()
    {
        await using var gateway = new GatewayServer("--HeartGrains:Pages:Enabled=false");
        await gateway.InitializeAsync();
        foreach (var path in (string[])["/", "/demo", PageAsset.All[0].Path])
        {
            using var response = await gateway.Client.GetAsync(path);
            await response.ShouldBeProblemAsync(404, "not-found");
        }
    }
}
