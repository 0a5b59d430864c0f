using System.Globalization;
using System.Net;
using System.Xml.Linq;
using HeartGrains.Gateway.Embed;
using HeartGrains.Hearts;
using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.Embed;

/// <summary>The count as a picture.</summary>
[Collection(GatewayCollection.Name)]
public sealed class BadgeTests(GatewayServer gateway)
{
    private const string Path = "/api/v1/badge.svg";
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";
    private readonly string _target = HeartClient.Fresh("t");

    [Fact]
    public async Task Get_LovedTarget_IsAPictureOfItsCount()
    {
        await gateway.Client.GiveAsync(_target, "u1");
        using var answer = await GetAsync($"target_id={_target}&label=hearts");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.ToString().ShouldBe("image/svg+xml");
        answer.Headers.CacheControl!.ToString().ShouldBe("public, max-age=60");
        answer.Headers.GetValues("Cross-Origin-Resource-Policy").ShouldBe(["cross-origin"]);
        var svg = XDocument.Parse(await answer.Content.ReadAsStringAsync()).Root!;
        svg.Element(Svg + "title")!.Value.ShouldBe("hearts: 1");
        svg.Attribute("aria-label")!.Value.ShouldBe("hearts: 1");
        svg.Descendants(Svg + "text").Select(static text => text.Value).ShouldBe(["hearts", "1"]);
    }

    [Fact]
    public async Task Get_EntityTag_ChangesWithCountAndLooksOnly()
    {
        using var none = await GetAsync($"target_id={_target}");
        using var blue = await GetAsync($"target_id={_target}&color=blue");
        using var again = await GetAsync($"target_id={_target}", none.Headers.ETag!.ToString());
        again.StatusCode.ShouldBe(HttpStatusCode.NotModified);
        (await again.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
        foreach (var tags in (string[])["*", $"\"x\", W/{none.Headers.ETag}", $"{none.Headers.ETag},\"x\""])
        {
            using var listed = await GetAsync($"target_id={_target}", tags);
            listed.StatusCode.ShouldBe(HttpStatusCode.NotModified, tags);
        }

        blue.Headers.ETag.ShouldNotBe(none.Headers.ETag);
        await gateway.Client.GiveAsync(_target, "u1");
        using var one = await GetAsync($"target_id={_target}", none.Headers.ETag.ToString());
        one.StatusCode.ShouldBe(HttpStatusCode.OK);
        one.Headers.ETag.ShouldNotBe(none.Headers.ETag);
    }

    [Fact]
    public async Task Get_ByOurOwnPage_IsAskedForAgainEachTime()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Path}?target_id={_target}");
        request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", "same-origin");
        using var answer = await gateway.Client.SendAsync(request);
        answer.Headers.CacheControl!.ToString().ShouldBe("no-cache");
    }

    [Theory]
    [InlineData("", "target_id")]
    [InlineData("target_id=a&target_id=b", "target_id")]
    [InlineData("target_id=a&label=%00", "label")]
    [InlineData("target_id=a&label=%EF%BF%BE", "label")]
    [InlineData("target_id=a&label=x%EF%BF%BF", "label")]
    [InlineData("target_id=a&label=%EF%B7%90", "label")]
    [InlineData("target_id=a&label=%F0%9F%BF%BF", "label")]
    [InlineData("target_id=a&label=aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg", "label")]
    [InlineData("target_id=a&color=12345", "color")]
    [InlineData("target_id=a&color=%22/%3E", "color")]
    [InlineData("target_id=a&style=round", "style")]
    [InlineData("target_id=a&logo=x", "logo")]
    public async Task Get_InvalidParameter_IsRefused(string query, string field)
    {
        using var answer = await GetAsync(query);
        var problem = await answer.ShouldBeProblemAsync(400, "invalid-query");
        problem.GetProperty("errors").TryGetProperty(field, out _).ShouldBeTrue();
        problem.ToString().ShouldNotContain(" field");
    }

    [Fact]
    public async Task Get_LabelThatLooksLikeMarkup_IsText()
    {
        const string Label = "</text><script>x</script>\"'&";
        using var answer = await GetAsync($"target_id={_target}&label={Uri.EscapeDataString(Label)}&style=pill&color=%23fff");
        var svg = XDocument.Parse(await answer.Content.ReadAsStringAsync());
        svg.Descendants(Svg + "text").First().Value.ShouldBe(Label);
        svg.Descendants(Svg + "script").ShouldBeEmpty();
        answer.Headers.GetValues("Content-Security-Policy").ShouldBe(["default-src 'none'; sandbox"]);
    }

    [Fact]
    public async Task Get_SilosDown_IsTheLastKnownCountAndAProblemWhereNoneIs()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.Grains.Read = static (_, _) => Task.FromResult(new HeartState(HeartOutcome.Committed, 7, 9, null, 30));
        using var known = await server.Client.GetAsync($"{Path}?target_id=known");
        known.StatusCode.ShouldBe(HttpStatusCode.OK);
        server.Grains.Read = static (_, _) => Task.FromResult(new HeartState(HeartOutcome.LedgerUnavailable, 0, 0, null));
        (await server.Client.GetStringAsync($"{Path}?target_id=known")).ShouldContain(">37</text>");
        using var unknown = await server.Client.GetAsync($"{Path}?target_id=unknown");
        await unknown.ShouldBeProblemAsync(503, "ledger-unavailable");
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(999, "999")]
    [InlineData(1_000, "1k")]
    [InlineData(1_299, "1.2k")]
    [InlineData(9_999, "9.9k")]
    [InlineData(34_567, "34k")]
    [InlineData(999_999, "999k")]
    [InlineData(5_649_000, "5.6M")]
    [InlineData(long.MaxValue, "9223372T")]
    public void Abbreviated_IsNeverMoreThanThereIs(long count, string text) => Badge.Abbreviated(count).ShouldBe(text);

    /// <summary>Wide and combining characters count as they are shown: the label ends before the count's field begins.</summary>
    [Theory]
    [InlineData("WWWWWWWWWW", 108.79)]
    [InlineData("iiiiiiiiii", 30.14)]
    [InlineData("喜欢", 22)]
    [InlineData("e\u0301", 6.56)]
    public void Of_Text_IsMeasured(string text, double width) => TextWidth.Of(text, 11).ShouldBe(width);

    [Theory]
    [InlineData("f2c037", "#1b1d21")]
    [InlineData("ffffff", "#1b1d21")]
    [InlineData("d6174f", "#fff")]
    public void Draw_CountOnItsColor_CanBeRead(string color, string ink)
    {
        var svg = XDocument.Parse(new Badge("", color, BadgeStyle.Flat).Draw(5));
        svg.Descendants(Svg + "text").Single().Attribute("fill")!.Value.ShouldBe(ink);
        double.Parse(svg.Root!.Attribute("width")!.Value, CultureInfo.InvariantCulture).ShouldBeGreaterThan(30);
    }

    private async Task<HttpResponseMessage> GetAsync(string query, string? ifNoneMatch = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Path}?{query}");
        if (ifNoneMatch is not null) request.Headers.TryAddWithoutValidation("If-None-Match", ifNoneMatch);
        return await gateway.Client.SendAsync(request);
    }
}
