using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using HeartGrains.Gateway.Embed;
using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.Embed;

/// <summary>The button's script as it is served.</summary>
[Collection(GatewayCollection.Name)]
public sealed class ScriptTests(GatewayServer gateway)
{
    private const int GzipByteLimit = 6 * 1024;
    private readonly EmbedScript _script = new();

    [Fact]
    public async Task Get_Newest_IsPublicJavaScriptThatIsAskedForAgainAfterFiveMinutes()
    {
        using var answer = await GetAsync(EmbedScript.NewestPath);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.ToString().ShouldBe("text/javascript; charset=utf-8");
        answer.Headers.CacheControl!.ToString().ShouldBe("public, max-age=300");
        answer.Headers.GetValues("Access-Control-Allow-Origin").ShouldBe(["*"]);
        answer.Headers.GetValues("Cross-Origin-Resource-Policy").ShouldBe(["cross-origin"]);
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        (await answer.Content.ReadAsByteArrayAsync()).ShouldBe(_script.File.Bytes);
    }

    /// <summary>What a page's snippet says is true of the bytes a browser gets.</summary>
    [Fact]
    public async Task Tag_NamesAnAddressAndAnIntegrityOfWhatIsServedThere()
    {
        var tag = _script.Tag("https://hearts.example.com");
        var parts = Regex.Match(tag, "src=\"https://hearts.example.com(?<path>[^\"]+)\" integrity=\"sha384-(?<hash>[^\"]+)\" crossorigin=\"anonymous\"", RegexOptions.None, TimeSpan.FromSeconds(1));
        using var answer = await GetAsync(parts.Groups["path"].Value);
        answer.Headers.CacheControl!.ToString().ShouldBe("public, max-age=31536000, immutable");
        answer.Headers.GetValues("Access-Control-Allow-Origin").ShouldBe(["*"]);
        Convert.ToBase64String(SHA384.HashData(await answer.Content.ReadAsByteArrayAsync())).ShouldBe(parts.Groups["hash"].Value);
    }

    [Theory]
    [InlineData("br", "br")]
    [InlineData("gzip, deflate, br;q=0.5", "br")]
    [InlineData("gzip, br;q=0", "gzip")]
    [InlineData("GZIP", "gzip")]
    [InlineData("brotli, gzippy, gzip;q=0.000", null)]
    [InlineData("", null)]
    public async Task Get_Compressed_AsTheClientAccepts(string accepted, string? coding)
    {
        using var answer = await GetAsync(EmbedScript.NewestPath, ("Accept-Encoding", accepted));
        answer.Content.Headers.ContentEncoding.ShouldBe(coding is null ? [] : [coding]);
        answer.Headers.Vary.ShouldBe(["Accept-Encoding"]);
        await using var body = await answer.Content.ReadAsStreamAsync();
        await using var plain = coding switch
        {
            "br" => new BrotliStream(body, CompressionMode.Decompress),
            "gzip" => new GZipStream(body, CompressionMode.Decompress),
            _ => body,
        };
        using var bytes = new MemoryStream();
        await plain.CopyToAsync(bytes);
        bytes.ToArray().ShouldBe(_script.File.Bytes);
    }

    [Fact]
    public async Task Get_Gzip_FitsSixKilobytes()
    {
        using var answer = await GetAsync(EmbedScript.NewestPath, ("Accept-Encoding", "gzip"));
        (await answer.Content.ReadAsByteArrayAsync()).Length.ShouldBeLessThanOrEqualTo(GzipByteLimit);
    }

    [Fact]
    public async Task Get_IfNoneMatch_IsNotSentAgain()
    {
        using var first = await GetAsync(EmbedScript.NewestPath);
        using var second = await GetAsync(EmbedScript.NewestPath, ("If-None-Match", $"\"other\", {first.Headers.ETag}"));
        second.StatusCode.ShouldBe(HttpStatusCode.NotModified);
        second.Headers.ETag.ShouldBe(first.Headers.ETag);
        using var changed = await GetAsync(EmbedScript.NewestPath, ("If-None-Match", "\"other\""));
        changed.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Head_SaysTheLengthAndSendsNothing()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, EmbedScript.NewestPath);
        using var answer = await gateway.Client.SendAsync(request);
        answer.Content.Headers.ContentLength.ShouldBe(_script.File.Bytes.Length);
        (await answer.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    /// <summary>A page that pins a script keeps it when there is a newer one.</summary>
    [Fact]
    public void PinnedAt_EarlierScripts_AreEachAtTheAddressOfTheirContent()
    {
        var pinned = EmbedScript.PinnedAt(
            ["wwwroot/heart-button.js", "wwwroot/earlier/1.0.js", "wwwroot/earlier/same.js", "wwwroot/earlier/notes.md", "wwwroot/pages/pages.js"],
            static name => new WebFile(name, name == "earlier/1.0.js" ? "1"u8.ToArray() : "2"u8.ToArray()));
        pinned.Keys.ShouldBe(["/heart-button.6b86b273ff34fce1.js", "/heart-button.d4735e3a265e16ee.js"], ignoreOrder: true);
        pinned["/heart-button.6b86b273ff34fce1.js"].Bytes.ShouldBe("1"u8.ToArray());
        _script.Pinned.Keys.ShouldContain(_script.Path);
    }

    [Fact]
    public async Task Get_AnotherHash_IsNotFound()
    {
        using var answer = await GetAsync("/heart-button.0123456789abcdef.js");
        await answer.ShouldBeProblemAsync(404, "not-found");
    }

    private async Task<HttpResponseMessage> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await gateway.Client.SendAsync(request);
    }
}
