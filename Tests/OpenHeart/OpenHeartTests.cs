using System.Net;
using System.Text;
using HeartGrains.Hearts;
using HeartGrains.RateLimiting;
using HeartGrains.Tests.Buttons;
using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.OpenHeart;

/// <summary>The Open Heart protocol, over real HTTP.</summary>
[Collection(ButtonCollection.Name)]
public sealed class OpenHeartTests(ButtonServer server)
{
    private const string Form = "application/x-www-form-urlencoded";
    private readonly string _page = "/oh/blog.example.com/" + HeartClient.Fresh("post-");
    private readonly string _reader = HeartClient.Fresh("browser ");

    [Theory]
    [InlineData("❤️", "text/plain;charset=UTF-8")]
    [InlineData("❤️=\r\n", "text/plain")]
    [InlineData("❤️=", Form)]
    [InlineData("%E2%9D%A4%EF%B8%8F=", Form)]
    [InlineData("  ❤️ and what follows", "text/plain")]
    public async Task Post_EachShape_GivesTheFirstEmoji(string body, string contentType)
    {
        (await server.Client.GetAsync(_page).TextAsync()).ShouldBe("{}");

        using var given = await server.PostAsync(_page, body, _reader, contentType);

        given.StatusCode.ShouldBe(HttpStatusCode.OK);
        given.ShouldBeOpenToEverybody();
        using var counts = await server.Client.GetAsync(_page);
        counts.ShouldBeOpenToEverybody().Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        (await counts.Content.ReadAsStringAsync()).ShouldBe("""{"❤️":1}""");
    }

    [Fact]
    public async Task Post_OneReaderAgainAndAnother_IsOneHeartEach()
    {
        await server.PostAsync(_page, "❤️", _reader);
        await server.PostAsync(_page, "❤️", _reader);
        (await server.Client.GetAsync(_page).TextAsync()).ShouldBe("""{"❤️":1}""");

        await server.PostAsync(_page, "❤️", HeartClient.Fresh("browser "));
        (await server.Client.GetAsync(_page).TextAsync()).ShouldBe("""{"❤️":2}""");
    }

    [Fact]
    public async Task Post_SeveralEmoji_AreCountedApartAsTheyWereSent()
    {
        foreach (var emoji in (string[])["❤️", "❤", "👍"]) await server.PostAsync(_page, emoji, _reader);

        (await server.Client.GetAsync(_page).TextAsync()).ShouldBe("""{"❤️":1,"❤":1,"👍":1}""");
        var page = _page["/oh/".Length..];
        foreach (var target in (string[])["oh:" + page, "oh:❤:" + page, "oh:👍:" + page])
            (await server.Client.ReadAsync(target).JsonAsync()).GetProperty("count").GetInt64().ShouldBe(1, target);
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("")]
    [InlineData("=❤️")]
    [InlineData("🦄")]
    [InlineData("👍🏽")]
    public async Task Post_NoEmojiOrOneThatIsNotTaken_IsRefusedInPlainText(string body)
    {
        using var refused = await server.PostAsync(_page, body, _reader);

        refused.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        refused.ShouldBeOpenToEverybody().Content.Headers.ContentType!.MediaType.ShouldBe("text/plain");
        (await server.Client.GetAsync(_page).TextAsync()).ShouldBe("{}");
    }

    [Fact]
    public async Task Post_BodyOverTheBound_IsRefused()
    {
        using var refused = await server.PostAsync(_page, "❤️" + new string('x', 10_000), _reader);
        refused.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        refused.ShouldBeOpenToEverybody();
    }

    [Theory]
    [InlineData("OPTIONS", 200)]
    [InlineData("HEAD", 200)]
    [InlineData("DELETE", 405)]
    public async Task AnyMethod_Page_IsAnsweredToEverybody(string method, int status)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), _page);
        request.Headers.Add("Origin", "https://anywhere.example");
        if (method == "OPTIONS") request.Headers.Add("Access-Control-Request-Method", "POST");
        using var answer = await server.Client.SendAsync(request);

        ((int)answer.StatusCode).ShouldBe(status);
        answer.ShouldBeOpenToEverybody();
    }

    [Theory]
    [InlineData("/oh/blog.example.com")]
    [InlineData("/oh/blog.example.com/")]
    [InlineData("/oh//x")]
    [InlineData("/oh/❤:blog.example.com/x")]
    [InlineData("/oh/blog.example.com/%01")]
    public async Task Post_NoPage_IsRefusedInPlainText(string path)
    {
        using var refused = await server.PostAsync(path, "❤️", _reader);
        refused.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        refused.ShouldBeOpenToEverybody().Content.Headers.ContentType!.MediaType.ShouldBe("text/plain");
    }

    [Fact]
    public async Task Post_PageOfManyParts_IsWhatItsPathSays()
    {
        var name = HeartClient.Fresh("心/2026/a#");
        await server.PostAsync("/oh/Blog.Example.com:4000/" + name.Replace("#", "%23", StringComparison.Ordinal), "❤️", _reader);

        (await server.Client.ReadAsync("oh:blog.example.com:4000/" + name).JsonAsync()).GetProperty("count").GetInt64().ShouldBe(1);
    }

    [Fact]
    public async Task Post_NameTooLongForATarget_CountsAllTheSame()
    {
        var (page, neighbour) = (_page + new string('x', 300), _page + new string('x', 301));
        await server.PostAsync(page, "❤️", _reader);
        await server.PostAsync(page, "👍", _reader);

        (await server.Client.GetAsync(page).TextAsync()).ShouldBe("""{"❤️":1,"👍":1}""");
        (await server.Client.GetAsync(neighbour).TextAsync()).ShouldBe("{}");
    }

    [Theory]
    [InlineData("redirect=https://blog.example.com/post%3Fa=1%23top", null, "https://blog.example.com/post?a=1#top")]
    [InlineData("redirect", "https://blog.example.com/post", "https://blog.example.com/post")]
    [InlineData("redirect=", "https://blog.example.com/post", "https://blog.example.com/post")]
    [InlineData("redirect=https://evil.example/", "https://blog.example.com/post", null)]
    [InlineData("redirect=https://blog.example.com@evil.example/", null, null)]
    [InlineData("redirect=https://blog.example.com.evil.example/", null, null)]
    [InlineData("redirect=//evil.example/", null, null)]
    [InlineData("redirect=javascript:alert(1)", null, null)]
    [InlineData("redirect", null, null)]
    public async Task Post_Redirect_GoesToAllowedOriginsOnly(string query, string? referer, string? location)
    {
        (string, string)[] headers = referer is null ? [] : [("Referer", referer)];
        using var given = await server.PostAsync($"{_page}?{query}", "❤️=", _reader, Form, headers);

        given.StatusCode.ShouldBe(location is null ? HttpStatusCode.OK : HttpStatusCode.SeeOther);
        given.Headers.Location?.OriginalString.ShouldBe(location);
        given.ShouldBeOpenToEverybody();
        (await server.Client.GetAsync(_page).TextAsync()).ShouldBe("""{"❤️":1}""");
    }

    [Fact]
    public async Task Post_RedirectToThisService_IsFollowed()
    {
        using var given = await server.PostAsync($"{_page}?redirect={server.Url}demo", "❤️", _reader);
        given.Headers.Location!.OriginalString.ShouldBe($"{server.Url}demo");
    }

    [Fact]
    public async Task Post_SiteWithoutAddressReaders_RefusesWhoBringsNoToken()
    {
        var page = "/oh/closed.example/" + HeartClient.Fresh("post-");
        using var refused = await server.PostAsync(page, "❤️", _reader);

        refused.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await server.Client.GetAsync(page).TextAsync()).ShouldBe("{}");
    }

    [Fact]
    public async Task Post_StrictSite_CountsANetworkOnce()
    {
        var page = "/oh/strict.example/" + HeartClient.Fresh("post-");
        await server.PostAsync(page, "❤️", _reader);
        await server.PostAsync(page, "❤️", HeartClient.Fresh("browser "));

        (await server.Client.GetAsync(page).TextAsync()).ShouldBe("""{"❤️":1}""");
    }

    [Fact]
    public async Task Post_ReadersToken_CountsFromAPageThatMaySendItOnly()
    {
        var own = server.Url.GetLeftPart(UriPartial.Authority);
        using var told = await server.PostAsync("/api/v1/reader", "", _reader, headers: ("Origin", own));
        var cookie = told.Headers.GetValues("Set-Cookie").First().Split(';')[0];
        foreach (var browser in (string[])["one", "another"])
            await server.PostAsync(_page, "❤️", HeartClient.Fresh(browser), headers: [("Origin", own), ("Cookie", cookie)]);
        (await server.Client.GetAsync(_page).TextAsync()).ShouldBe("""{"❤️":1}""");

        await server.PostAsync(_page, "❤️", HeartClient.Fresh("elsewhere"), headers: [("Origin", "https://evil.example"), ("Cookie", cookie)]);
        (await server.Client.GetAsync(_page).TextAsync()).ShouldBe("""{"❤️":2}""");
    }

    [Fact]
    public async Task Post_LedgerUnavailableForAMoment_IsGivenAllTheSame()
    {
        await using var scripted = await ButtonServer.ScriptedAsync("OpenHeart");
        scripted.Grains.Write = static (call, _) =>
            Task.FromResult(call <= 2 ? ScriptedGrains.Refused(HeartOutcome.LedgerUnavailable) : ScriptedGrains.Committed);

        using var given = await scripted.Client.PostAsync("/oh/blog.example.com/post", new StringContent("❤️"), TestContext.Current.CancellationToken);

        given.StatusCode.ShouldBe(HttpStatusCode.OK);
        scripted.Grains.Calls.ShouldBe(3);
    }

    [Fact]
    public async Task Post_QuotaSpent_IsToldAtOnce()
    {
        await using var scripted = await ButtonServer.ScriptedAsync("OpenHeart");
        var asked = 0;
        scripted.Grains.Acquire = _ =>
        {
            asked++;
            return Task.FromResult(new QuotaDecision(false, [new QuotaVerdict(false, 0, 1_000, 1_000)], default));
        };

        using var refused = await scripted.Client.PostAsync("/oh/blog.example.com/post", new StringContent("❤️"), TestContext.Current.CancellationToken);

        ((int)refused.StatusCode).ShouldBe(429);
        refused.ShouldBeOpenToEverybody().ProblemOf().ShouldBe("quota-exceeded");
        (asked, scripted.Grains.Calls).ShouldBe((1, 0));
    }

    [Fact]
    public async Task Get_NobodyAnswers_IsUnavailableUntilSomethingIsKnown()
    {
        await using var scripted = await ButtonServer.ScriptedAsync("OpenHeart");
        scripted.Grains.Read = static (_, _) => Task.FromResult(new HeartState(HeartOutcome.LedgerUnavailable, 0, 0, null));
        using var unknown = await scripted.Client.GetAsync("/oh/blog.example.com/post", TestContext.Current.CancellationToken);
        unknown.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        unknown.ShouldBeOpenToEverybody().Headers.RetryAfter.ShouldNotBeNull();

        await scripted.Client.PostAsync("/oh/blog.example.com/post", new StringContent("❤️", Encoding.UTF8), TestContext.Current.CancellationToken);
        (await scripted.Client.GetAsync("/oh/blog.example.com/post", TestContext.Current.CancellationToken).TextAsync()).ShouldBe("""{"❤️":1}""");
    }
}
