using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using HeartGrains.Tests.Gateway;

namespace HeartGrains.Tests.Identity.Jwt;

/// <summary>Users' tokens over real HTTP: each algorithm, and each way in which a token is refused, as data.</summary>
public sealed partial class JwtTests(JwtServer server) : IClassFixture<JwtServer>
{
    private const string Good = """{"iss":"https://login.example.com","aud":"hearts","sub":"USER","exp":NOW+300}""";

    /// <summary>Signed by, header, claims, the user_id that is sent beside it, and the answer. In them stand KID, USER and NOW, with seconds to add.</summary>
    public static TheoryData<string, string, string, string, string?, int, string?> Rows { get; } = new()
    {
        // Taken.
        { "RS256", "rsa", """{"alg":"RS256","kid":"rsa"}""", Good, null, 201, null },
        { "ES256", "ec", """{"alg":"ES256","kid":"ec"}""", Good, null, 201, null },
        { "EdDSA", "ed", """{"alg":"EdDSA","kid":"ed"}""", Good, null, 201, null },
        { "HS256", "hmac", """{"alg":"HS256","kid":"hmac"}""", Good, null, 201, null },
        { "without kid: the only key of its algorithm", "ec", """{"alg":"ES256"}""", Good, null, 201, null },
        { "typ of an access token", "ec", """{"alg":"ES256","kid":"ec","typ":"at+jwt"}""", Good, null, 201, null },
        { "typ in another case", "ec", """{"alg":"ES256","kid":"ec","typ":"jwt"}""", Good, null, 201, null },
        { "several audiences", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":["other","hearts"],"sub":"USER","exp":NOW+300}""", null, 201, null },
        { "expired within the skew", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"USER","exp":NOW-10}""", null, 201, null },
        { "its own user named too", "ec", """{"alg":"ES256","kid":"ec"}""", Good, "USER", 201, null },
        { "times with a fraction", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"USER","exp":NOW+300.5,"nbf":NOW-1.5}""", null, 201, null },

        // Another user.
        { "another user", "ec", """{"alg":"ES256","kid":"ec"}""", Good, "somebody-else", 403, "user-mismatch" },
        { "a reader for a user", "ec", """{"alg":"ES256","kid":"ec"}""", Good, "reader:zXeJH5B2m2bVQ0yPZp3fXg", 403, "user-mismatch" },

        // Header.
        { "alg none", "none", """{"alg":"none","kid":"rsa"}""", Good, null, 401, "invalid-token" },
        { "alg None with a signature", "rsa", """{"alg":"None","kid":"rsa"}""", Good, null, 401, "invalid-token" },
        { "no alg", "rsa", """{"kid":"rsa"}""", Good, null, 401, "invalid-token" },
        { "alg that is no text", "rsa", """{"alg":["RS256"],"kid":"rsa"}""", Good, null, 401, "invalid-token" },
        { "alg twice", "rsa", """{"alg":"RS256","alg":"RS256","kid":"rsa"}""", Good, null, 401, "invalid-token" },
        { "alg in another case", "rsa", """{"alg":"rs256","kid":"rsa"}""", Good, null, 401, "invalid-token" },
        { "alg that is not taken", "rsa", """{"alg":"RS512","kid":"rsa"}""", Good, null, 401, "invalid-token" },
        { "alg PS256", "rsa", """{"alg":"PS256","kid":"rsa"}""", Good, null, 401, "invalid-token" },
        { "an RSA public key as the secret of HS256", "rsa-as-secret", """{"alg":"HS256","kid":"rsa"}""", Good, null, 401, "invalid-token" },
        { "an RSA public key in PEM as the secret of HS256", "pem-as-secret", """{"alg":"HS256","kid":"rsa"}""", Good, null, 401, "invalid-token" },
        { "another alg than its key's", "rsa", """{"alg":"ES256","kid":"rsa"}""", Good, null, 401, "invalid-token" },
        { "another key than kid's", "ec", """{"alg":"RS256","kid":"rsa"}""", Good, null, 401, "invalid-token" },
        { "a key that is not known", "strange", """{"alg":"RS256","kid":"strange"}""", Good, null, 401, "invalid-token" },
        { "a strange key under a known kid", "strange", """{"alg":"RS256","kid":"rsa"}""", Good, null, 401, "invalid-token" },
        { "kid that is a path", "rsa", """{"alg":"RS256","kid":"../../dev/null"}""", Good, null, 401, "invalid-token" },
        { "kid that is no text", "rsa", """{"alg":"RS256","kid":1}""", Good, null, 401, "invalid-token" },
        { "kid of half a surrogate pair", "rsa", """{"alg":"RS256","kid":"\ud800"}""", Good, null, 401, "invalid-token" },
        { "jwk", "strange", """{"alg":"RS256","kid":"strange","jwk":JWK}""", Good, null, 401, "invalid-token" },
        { "jwk of a known key", "rsa", """{"alg":"RS256","kid":"rsa","jwk":{}}""", Good, null, 401, "invalid-token" },
        { "jku", "rsa", """{"alg":"RS256","kid":"rsa","jku":"https://evil.example/keys"}""", Good, null, 401, "invalid-token" },
        { "x5u", "rsa", """{"alg":"RS256","kid":"rsa","x5u":"https://evil.example/cert"}""", Good, null, 401, "invalid-token" },
        { "x5c", "rsa", """{"alg":"RS256","kid":"rsa","x5c":["MIIB"]}""", Good, null, 401, "invalid-token" },
        { "crit", "rsa", """{"alg":"RS256","kid":"rsa","crit":["exp"]}""", Good, null, 401, "invalid-token" },
        { "b64", "rsa", """{"alg":"RS256","kid":"rsa","b64":false,"crit":["b64"]}""", Good, null, 401, "invalid-token" },
        { "enc", "rsa", """{"alg":"RS256","kid":"rsa","enc":"A256GCM"}""", Good, null, 401, "invalid-token" },
        { "zip", "rsa", """{"alg":"RS256","kid":"rsa","zip":"DEF"}""", Good, null, 401, "invalid-token" },
        { "typ of another kind", "rsa", """{"alg":"RS256","kid":"rsa","typ":"logout+jwt"}""", Good, null, 401, "invalid-token" },
        { "a member whose name is half a surrogate pair", "rsa", """{"alg":"RS256","kid":"rsa","\ud800":1}""", Good, null, 401, "invalid-token" },
        { "header that is no object", "rsa", """["RS256"]""", Good, null, 401, "invalid-token" },
        { "header that is no JSON", "rsa", """{"alg":"RS256",""", Good, null, 401, "invalid-token" },

        // Claims.
        { "no exp", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"USER"}""", null, 401, "invalid-token" },
        { "exp that is text", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"USER","exp":"NOW+300"}""", null, 401, "invalid-token" },
        { "exp beyond all numbers", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"USER","exp":1e999}""", null, 401, "invalid-token" },
        { "expired", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"USER","exp":NOW-61}""", null, 401, "invalid-token" },
        { "expired long ago", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"USER","exp":-1e300}""", null, 401, "invalid-token" },
        { "exp twice", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"USER","exp":NOW-999,"exp":NOW+300}""", null, 401, "invalid-token" },
        { "not valid yet", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"USER","exp":NOW+300,"nbf":NOW+120}""", null, 401, "invalid-token" },
        { "nbf that is text", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"USER","exp":NOW+300,"nbf":"0"}""", null, 401, "invalid-token" },
        { "no iss", "ec", """{"alg":"ES256","kid":"ec"}""", """{"aud":"hearts","sub":"USER","exp":NOW+300}""", null, 401, "invalid-token" },
        { "another iss", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://evil.example","aud":"hearts","sub":"USER","exp":NOW+300}""", null, 401, "invalid-token" },
        { "iss that only begins so", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com.evil.example","aud":"hearts","sub":"USER","exp":NOW+300}""", null, 401, "invalid-token" },
        { "no aud", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","sub":"USER","exp":NOW+300}""", null, 401, "invalid-token" },
        { "another aud", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"shop","sub":"USER","exp":NOW+300}""", null, 401, "invalid-token" },
        { "no sub", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","exp":NOW+300}""", null, 401, "invalid-token" },
        { "empty sub", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"","exp":NOW+300}""", null, 401, "invalid-token" },
        { "sub that is a number", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":42,"exp":NOW+300}""", null, 401, "invalid-token" },
        { "sub with a control character", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"a\u0000b","exp":NOW+300}""", null, 401, "invalid-token" },
        { "sub that is too long", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"LONG","exp":NOW+300}""", null, 401, "invalid-token" },
        { "sub that is a reader", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"reader:zXeJH5B2m2bVQ0yPZp3fXg","exp":NOW+300}""", null, 401, "invalid-token" },
        { "sub that is a tombstone", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"erased:jAAAAAAAAAAAAAAAAAAAAAA","exp":NOW+300}""", null, 401, "invalid-token" },
        { "a claim whose name is half a surrogate pair", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"USER","exp":NOW+300,"\ud800":1}""", null, 401, "invalid-token" },
        { "sub of half a surrogate pair", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"\udc00","exp":NOW+300}""", null, 401, "invalid-token" },
        { "aud that is no text", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":{"hearts":true},"sub":"USER","exp":NOW+300}""", null, 401, "invalid-token" },
        { "iss that is no text", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":["https://login.example.com"],"aud":"hearts","sub":"USER","exp":NOW+300}""", null, 401, "invalid-token" },
        { "claims that are no object", "ec", """{"alg":"ES256","kid":"ec"}""", "[]", null, 401, "invalid-token" },
        { "claims that are a token", "ec", """{"alg":"ES256","kid":"ec","cty":"JWT"}""", "eyJhbGciOiJub25lIn0.e30.", null, 401, "invalid-token" },
        { "claims that go too deep", "ec", """{"alg":"ES256","kid":"ec"}""", """{"iss":"https://login.example.com","aud":"hearts","sub":"USER","exp":NOW+300,"a":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}""", null, 401, "invalid-token" },
    };

    /// <summary>What is sent in place of a token; TOKEN and its parts are of a good one.</summary>
    public static TheoryData<string, string> Spoilt { get; } = new()
    {
        { "no signature", "HEADER.CLAIMS." },
        { "half a signature", "HEADER.CLAIMS.HALF" },
        { "a signature of zeros", "HEADER.CLAIMS.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
        { "other claims under the signature", "HEADER.eyJzdWIiOiJhZG1pbiJ9.SIGNATURE" },
        { "two parts", "HEADER.CLAIMS" },
        { "four parts", "TOKEN.AAAA" },
        { "five parts: encrypted", "HEADER.AAAA.AAAA.CLAIMS.SIGNATURE" },
        { "padding", "TOKEN=" },
        { "a space within", "HEADER. CLAIMS.SIGNATURE" },
        { "dots", ".." },
        { "plain base64", "HEADER.CLAIMS.SIG+/ATURE" },
        { "no token at all", "hello" },
        { "longer than 8 KiB", "HEADER.CLAIMS.BIG" },
    };

    private HttpClient Client => server.Gateway.Client;

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Give_WithToken_IsAnsweredAsTheTableSays(string what, string signer, string header, string claims, string? named, int status, string? code)
    {
        var (target, user) = (HeartClient.Fresh("t"), HeartClient.Fresh("u"));
        var now = TimeProvider.System.GetUtcNow();
        using var answer = await Client.GiveWithAsync(Sign(signer, Fill(header, user, now), Fill(claims, user, now)), target, named?.Replace("USER", user, StringComparison.Ordinal));

        var count = (await Client.ReadAsync(target).JsonAsync()).GetProperty("count").GetInt64();
        if (code is null)
        {
            ((int)answer.StatusCode).ShouldBe(status, what);
            (await answer.JsonAsync()).GetProperty("user_id").GetString().ShouldBe(user);
            count.ShouldBe(1);
            return;
        }

        await answer.ShouldBeProblemAsync(status, code);
        if (status == 401) answer.Headers.WwwAuthenticate.ToString().ShouldMatch("^Bearer error=\"invalid_token\", error_description=\"[ -!#-~]+\"$", what);
        count.ShouldBe(0, what);
    }

    [Theory]
    [MemberData(nameof(Spoilt))]
    public async Task Give_WithASpoiltToken_Is401(string what, string form)
    {
        var target = HeartClient.Fresh("t");
        var token = JwtServer.Ecdsa.Sign("u", TimeProvider.System.GetUtcNow());
        var parts = token.Split('.');
        var spoilt = form.Replace("TOKEN", token, StringComparison.Ordinal).Replace("HEADER", parts[0], StringComparison.Ordinal).Replace("CLAIMS", parts[1], StringComparison.Ordinal)
            .Replace("SIGNATURE", parts[2], StringComparison.Ordinal).Replace("HALF", parts[2][..40], StringComparison.Ordinal).Replace("BIG", new string('A', 8192), StringComparison.Ordinal);
        using var request = new HttpRequestMessage(HttpMethod.Post, HeartClient.Hearts) { Content = new StringContent($$"""{"target_id":"{{target}}"}""", Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + spoilt);
        using var answer = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        await answer.ShouldBeProblemAsync(401, "invalid-token");
        (await Client.ReadAsync(target).JsonAsync()).GetProperty("count").GetInt64().ShouldBe(0, what);
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

    private static string Sign(string signer, string header, string claims) => signer switch
    {
        "rsa" => JwtServer.Rsa.Sign(header, claims),
        "ec" => JwtServer.Ecdsa.Sign(header, claims),
        "ed" => JwtServer.Ed25519.Sign(header, claims),
        "hmac" => JwtServer.Hmac.Sign(header, claims),
        "strange" => Strange.Sign(header, claims),
        "rsa-as-secret" => TestSigner.Hmac("rsa", Encoding.UTF8.GetBytes((string)JwtServer.Rsa.Public["n"]!)).Sign(header, claims),
        "pem-as-secret" => TestSigner.Hmac("rsa", Encoding.UTF8.GetBytes(Pem())).Sign(header, claims),
        _ => JwtServer.Rsa.Sign(header, claims) is var token ? token[..(token.LastIndexOf('.') + 1)] : "",
    };

    private static string Pem()
    {
        using var rsa = System.Security.Cryptography.RSA.Create(new System.Security.Cryptography.RSAParameters
        {
            Modulus = System.Buffers.Text.Base64Url.DecodeFromChars((string)JwtServer.Rsa.Public["n"]!),
            Exponent = System.Buffers.Text.Base64Url.DecodeFromChars((string)JwtServer.Rsa.Public["e"]!),
        });
        return rsa.ExportSubjectPublicKeyInfoPem();
    }

    private static TestSigner Strange { get; } = TestSigner.Rsa("strange");

    private static string Fill(string text, string user, DateTimeOffset now) =>
        NowPlus().Replace(text, match => (now.ToUnixTimeSeconds() + (match.Groups["plus"].Success ? long.Parse(match.Groups["plus"].Value, CultureInfo.InvariantCulture) : 0)).ToString(CultureInfo.InvariantCulture))
            .Replace("USER", user, StringComparison.Ordinal).Replace("LONG", new string('u', 129), StringComparison.Ordinal).Replace("JWK", Strange.Public.ToJsonString(), StringComparison.Ordinal);

    [GeneratedRegex(@"NOW(?<plus>[+-]\d+)?", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NowPlus();
}
