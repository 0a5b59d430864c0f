using System.Net;
using System.Text;
using HeartGrains.Tests.BadInput;
using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.Identity.Jwt;

/// <summary>Users' tokens over real HTTP: each algorithm, and what else is taken.</summary>
public sealed class JwtTests(JwtServer server) : IClassFixture<JwtServer>
{
    private const string Good = """{"iss":"https://login.example.com","aud":"hearts","sub":"USER","exp":"@300"}""";

    /// <summary>Signed by, header, and claims, with times as in <see cref="BadInputTable"/>. Tokens that are refused are in <c>Tests/BadInput/</c>.</summary>
    public static TheoryData<string, string, string, string> Taken { get; } = new()
    {
        { "RS256", "rsa", """{"alg":"RS256","kid":"rsa"}""", Good },
        { "ES256", "ec", """{"alg":"ES256","kid":"ec"}""", Good },
        { "EdDSA", "ed", """{"alg":"EdDSA","kid":"ed"}""", Good },
        { "HS256", "hmac", """{"alg":"HS256","kid":"hmac"}""", Good },
        { "without kid: the only key of its algorithm", "ec", """{"alg":"ES256"}""", Good },
        { "typ of an access token", "ec", """{"alg":"ES256","kid":"ec","typ":"at+jwt"}""", Good },
        { "typ in another case", "ec", """{"alg":"ES256","kid":"ec","typ":"jwt"}""", Good },
        { "several audiences", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":["other","hearts"],"sub":"USER","exp":"@300"}""" },
        { "expired within the skew", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"USER","exp":"@-10"}""" },
        { "times with a fraction", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"USER","exp":"@300.5","nbf":"@-1.5"}""" },
    };

    private HttpClient Client => server.Gateway.Client;

    [Theory]
    [MemberData(nameof(Taken))]
    public async Task Give_WithToken_IsItsUsers(string what, string signer, string header, string claims)
    {
        TestSigner signs = signer switch { "rsa" => JwtServer.Rsa, "ed" => JwtServer.Ed25519, "hmac" => JwtServer.Hmac, _ => JwtServer.Ecdsa };
        foreach (var isNamed in (bool[])[false, true])
        {
            var (target, user) = (HeartClient.Fresh("t"), HeartClient.Fresh("u"));
            var token = signs.Sign(header, BadInputTable.AtTime(claims, TimeProvider.System.GetUtcNow()).Replace("USER", user, StringComparison.Ordinal));
            using var answer = await Client.GiveWithAsync(token, target, isNamed ? user : null);
            answer.StatusCode.ShouldBe(HttpStatusCode.Created, what);
            (await answer.JsonAsync()).GetProperty("user_id").GetString().ShouldBe(user);
        }
    }

    [Fact]
    public async Task Token_AlteredAfterItWasBelieved_IsRefused()
    {
        var token = JwtServer.Rsa.Sign(HeartClient.Fresh("u"), TimeProvider.System.GetUtcNow());
        (await Client.GiveWithAsync(token, HeartClient.Fresh("t"))).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await Client.GiveWithAsync(token, HeartClient.Fresh("t"))).StatusCode.ShouldBe(HttpStatusCode.Created);
        var other = token[..^8] + (token[^8] == 'A' ? 'B' : 'A') + token[^7..];
        (await Client.GiveWithAsync(other, HeartClient.Fresh("t"))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Read_WithToken_TellsOfItsUserAndIsNotStored()
    {
        var (target, user) = (HeartClient.Fresh("t"), HeartClient.Fresh("u"));
        var token = JwtServer.Ed25519.Sign(user, TimeProvider.System.GetUtcNow());
        (await Client.GiveWithAsync(token, target)).StatusCode.ShouldBe(HttpStatusCode.Created);

        using var read = await Client.SendAsync(HttpMethod.Get, $"{HeartClient.Hearts}?target_id={target}", token);
        (await read.JsonAsync()).GetProperty("hearted").GetBoolean().ShouldBeTrue();
        read.Headers.CacheControl!.NoStore.ShouldBeTrue();
        read.Headers.ETag.ShouldBeNull();
        using var withdrawn = await Client.SendAsync(HttpMethod.Delete, $"{HeartClient.Hearts}?target_id={target}", token);
        (await withdrawn.JsonAsync()).GetProperty("removed").GetBoolean().ShouldBeTrue();
        using var quota = await Client.SendAsync(HttpMethod.Get, "/api/v1/quota", token);
        (await quota.JsonAsync()).GetProperty("user_id").GetString().ShouldBe(user);
    }

    [Fact]
    public async Task Give_TokenBesideAReadersCookie_IsTheUsersAndNeedsNoOrigin()
    {
        var user = HeartClient.Fresh("u");
        using var request = new HttpRequestMessage(HttpMethod.Post, HeartClient.Hearts) { Content = new StringContent($$"""{"target_id":"{{HeartClient.Fresh("t")}}"}""", Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new("Bearer", JwtServer.Rsa.Sign(user, TimeProvider.System.GetUtcNow()));
        request.Headers.Add("Cookie", "heart_reader=whatever");
        using var answer = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        (await answer.JsonAsync()).GetProperty("user_id").GetString().ShouldBe(user);
        answer.Headers.Contains("Set-Cookie").ShouldBeFalse();
    }

    [Fact]
    public async Task Preflight_OfAConfiguredSite_LetsAuthorizationThrough()
    {
        await using var gateway = new GatewayServer("--HeartGrains:Sites=https://blog.example.com");
        await gateway.InitializeAsync();
        using var request = new HttpRequestMessage(HttpMethod.Options, HeartClient.Hearts)
        {
            Headers = { { "Origin", "https://blog.example.com" }, { "Access-Control-Request-Method", "POST" }, { "Access-Control-Request-Headers", "authorization,content-type" } },
        };
        using var answer = await gateway.Client.SendAsync(request, TestContext.Current.CancellationToken);
        answer.Headers.GetValues("Access-Control-Allow-Headers").Single().ShouldContain("Authorization");
    }
}
