using System.Net;
using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.Identity;

/// <summary>Calls without a <c>user_id</c>, as HTTP carries them.</summary>
public sealed class ReaderTests : IAsyncLifetime
{
    private const string Site = "https://blog.site.test";
    private readonly GatewayServer _server = new(
        $"--HeartGrains:Sites={Site}", "--HeartGrains:Auth:AllowClaimedUser=true", "--HeartGrains:Readers:IssueLimit=3", "--HeartGrains:Readers:IssuesPerHour=1");
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseCookies = false });
    private readonly string _target = HeartClient.Fresh("t");

    public async ValueTask InitializeAsync()
    {
        await _server.InitializeAsync();
        _client.BaseAddress = _server.Url;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Give_WithoutUser_IsAReadersAndTheCookieSaysWhich()
    {
        using var given = await GiveAsync(Own);
        given.StatusCode.ShouldBe(HttpStatusCode.Created);
        given.Headers.Location!.ToString().ShouldBe($"/api/v1/hearts?target_id={_target}");
        var cookie = given.Headers.GetValues("Set-Cookie").Single();
        cookie.ShouldMatch("^heart_reader=1[A-Za-z0-9_-]{48}; max-age=15552000; path=/; samesite=lax; httponly$");
        var user = (await given.JsonAsync()).GetProperty("user_id").GetString()!;
        user.ShouldMatch("^reader:[A-Za-z0-9_-]{22}$");

        using var again = await GiveAsync(Own, CookieOf(given));
        again.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await again.JsonAsync()).GetProperty("user_id").GetString().ShouldBe(user);
        again.Headers.Contains("Set-Cookie").ShouldBeFalse();

        using var read = await SendAsync(HttpMethod.Get, $"/api/v1/hearts?target_id={_target}", null, CookieOf(given));
        (await read.JsonAsync()).GetProperty("hearted").GetBoolean().ShouldBeTrue();
        read.Headers.CacheControl!.NoStore.ShouldBeTrue();
        read.Headers.ETag.ShouldBeNull();

        using var query = await SendAsync(HttpMethod.Post, "/api/v1/hearts/query", null, CookieOf(given), body: $$"""{"target_ids":["{{_target}}"]}""");
        (await query.JsonAsync()).GetProperty("hearts")[0].GetProperty("hearted").GetBoolean().ShouldBeTrue();

        using var withdrawn = await SendAsync(HttpMethod.Delete, $"/api/v1/hearts?target_id={_target}", Own, CookieOf(given));
        (await withdrawn.JsonAsync()).GetProperty("removed").GetBoolean().ShouldBeTrue();
    }

    [Theory]
    [InlineData("heart_reader=1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("heart_reader=")]
    [InlineData("heart_reader=%00%ff; heart_reader=x")]
    public async Task Give_WithAForgedCookie_IsANewReaders(string cookie)
    {
        using var given = await GiveAsync(Own, cookie);
        given.StatusCode.ShouldBe(HttpStatusCode.Created);
        given.Headers.GetValues("Set-Cookie").Single().ShouldStartWith("heart_reader=1");
    }

    [Fact]
    public async Task Give_WithAForgedElementToken_GetsAnotherInTheHeader()
    {
        using var given = await GiveAsync(Site, token: "forged");
        given.StatusCode.ShouldBe(HttpStatusCode.Created);
        var token = given.Headers.GetValues("Heart-Reader").Single();
        given.Headers.Contains("Set-Cookie").ShouldBeFalse();

        using var again = await GiveAsync(Site, token: token);
        again.StatusCode.ShouldBe(HttpStatusCode.OK);
        again.Headers.Contains("Heart-Reader").ShouldBeFalse();

        // Of this site's pages only.
        using var elsewhere = await GiveAsync(Own, token: token);
        elsewhere.StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("https://evil.test")]
    [InlineData("null")]
    public async Task Change_WithACookieAndNoAllowedOrigin_IsRefused(string? origin)
    {
        using var given = await GiveAsync(Own);
        foreach (var method in (HttpMethod[])[HttpMethod.Post, HttpMethod.Delete])
        {
            using var refused = method == HttpMethod.Post
                ? await GiveAsync(origin, CookieOf(given))
                : await SendAsync(method, $"/api/v1/hearts?target_id={_target}", origin, CookieOf(given));
            await refused.ShouldBeProblemAsync(403, "origin-not-allowed");
        }

        // Nor in the name of a user, while a reader's cookie comes along.
        using var named = await SendAsync(HttpMethod.Post, "/api/v1/hearts", origin, CookieOf(given), body: $$"""{"target_id":"{{_target}}","user_id":"u"}""");
        await named.ShouldBeProblemAsync(403, "origin-not-allowed");
        (await _client.ReadAsync(_target).JsonAsync()).GetProperty("version").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Give_ByTooManyNewReadersOfAnAddress_IsRefusedButOldOnesAreNot()
    {
        using var first = await GiveAsync(Own);
        for (var more = 1; more < 3; more++) (await GiveAsync(Own)).StatusCode.ShouldBe(HttpStatusCode.Created);

        using var refused = await GiveAsync(Own);
        await refused.ShouldBeProblemAsync(429, "quota-exceeded");
        refused.Headers.RetryAfter!.Delta!.Value.TotalMinutes.ShouldBeInRange(50, 60);
        using var token = await SendAsync(HttpMethod.Post, "/api/v1/reader?store=element", Own);
        await token.ShouldBeProblemAsync(429, "quota-exceeded");
        using var known = await GiveAsync(Own, CookieOf(first));
        known.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    /// <summary>DNS rebinding: the page's own name leads here, so the call is of one origin, and is not ours all the same.</summary>
    [Theory]
    [InlineData("evil.example", HttpStatusCode.Forbidden)]
    [InlineData("localhost", HttpStatusCode.Created)]
    [InlineData("127.0.0.1", HttpStatusCode.Created)]
    [InlineData("[::1]", HttpStatusCode.Created)]
    public async Task Give_FromAPageOfTheHostItCalls_IsTakenIfThatHostIsThisMachine(string host, HttpStatusCode status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/hearts");
        request.Headers.Host = $"{host}:{_server.Url.Port}";
        request.Headers.TryAddWithoutValidation("Origin", $"http://{host}:{_server.Url.Port}");
        request.Content = new StringContent($$"""{"target_id":"{{_target}}"}""", System.Text.Encoding.UTF8, "application/json");
        using var answer = await _client.SendAsync(request);
        answer.StatusCode.ShouldBe(status);
    }

    /// <summary>Lists tell who the readers are: nobody may spend a reader's quota by that.</summary>
    [Fact]
    public async Task Acquire_InAReadersName_IsRefused()
    {
        using var refused = await SendAsync(HttpMethod.Post, "/api/v1/quota/acquire", null, body: """{"user_id":"reader:AAAAAAAAAAAAAAAAAAAAAA","tokens":59}""");
        await refused.ShouldBeProblemAsync(400, "invalid-fields");
    }

    [Fact]
    public async Task Give_AsAReaderByName_IsRefused()
    {
        using var refused = await _client.GiveAsync(_target, "reader:AAAAAAAAAAAAAAAAAAAAAA");
        var problem = await refused.ShouldBeProblemAsync(400, "invalid-fields");
        problem.GetProperty("errors").GetProperty("user_id")[0].GetString()!.ShouldContain("reader:");
    }

    [Fact]
    public async Task Give_WithoutUserWhereReadersAreOff_MissesTheUser()
    {
        var server = new GatewayServer("--HeartGrains:Readers:Enabled=false");
        await server.InitializeAsync();
        using var refused = await server.Client.PostJsonAsync(HeartClient.Hearts, $$"""{"target_id":"{{_target}}"}""");
        (await refused.ShouldBeProblemAsync(400, "invalid-fields")).GetProperty("errors").GetProperty("user_id")[0].GetString().ShouldBe("is missing");
        using var none = await server.Client.GetAsync("/api/v1/reader");
        none.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        await server.DisposeAsync();
    }

    [Theory]
    [InlineData("?store=cookie")]
    [InlineData("?x=1")]
    public async Task Reader_WithAnotherParameter_IsRefused(string query)
    {
        using var refused = await SendAsync(HttpMethod.Post, "/api/v1/reader" + query, Own);
        await refused.ShouldBeProblemAsync(400, "invalid-query");
    }

    private string Own => _server.Url.GetLeftPart(UriPartial.Authority);

    private static string CookieOf(HttpResponseMessage answer) => answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0];

    private Task<HttpResponseMessage> GiveAsync(string? origin, string? cookie = null, string? token = null) =>
        SendAsync(HttpMethod.Post, "/api/v1/hearts", origin, cookie, token, $$"""{"target_id":"{{_target}}"}""");

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? origin, string? cookie = null, string? token = null, string? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (origin is not null) request.Headers.TryAddWithoutValidation("Origin", origin);
        if (cookie is not null) request.Headers.TryAddWithoutValidation("Cookie", cookie);
        if (token is not null) request.Headers.TryAddWithoutValidation("Heart-Reader", token);
        if (body is not null) request.Content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        return await _client.SendAsync(request);
    }
}
