using System.Text.Json.Nodes;
using HeartGrains.Gateway;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Identity.Jwt;
using HeartGrains.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Tests.Identity.Jwt;

/// <summary>What of users' tokens is configured wrongly stops the start, with a line that says what to do.</summary>
public sealed class JwtSettingsTests
{
    private const string Issuer = "Issuer=https://login.example.com";
    private const string Audience = "Audience=hearts";

    public static TheoryData<string[], string> Wrong { get; } = new()
    {
        { [Issuer, Audience], "Tokens need an authority, or keys" },
        { ["Authority=https://login.example.com"], "say which audience" },
        { ["Authority=http://login.example.com", Audience], "https address" },
        { ["Authority=login.example.com", Audience], "https address" },
        { ["Authority=https://login.example.com?x=y", Audience], "https address" },
        { ["Authority=https://login.example.com", "Keys={}", Audience], "an authority or keys, not both" },
        { ["Authority=https://login.example.com", Audience, "Algorithms=HS256"], "an authority's keys are public" },
        { ["Keys={}", Audience], "who signs the tokens" },
        { ["Keys={}", Issuer, Audience], "no JSON Web Key Set" },
        { ["Keys={\"keys\":5}", Issuer, Audience], "no JSON Web Key Set" },
        { ["Keys={\"keys\":[", Issuer, Audience], "no JSON Web Key Set" },
        { ["Keys=[{\"kty\":\"oct\",\"k\":\"AAAAAAAA\"}]", Issuer, Audience], "neither a JSON Web Key Set" },
        { ["Keys=AAAAAAAA\0", Issuer, Audience], "neither a JSON Web Key Set" },
        { ["Keys=/no/such/file", Issuer, Audience], "nor a file that can be read" },
        { ["Keys={\"keys\":[]}", Issuer, Audience], "no key that can be used" },
        { [Keys(TestSigner.Rsa("r", 1024).Public), Issuer, Audience], "1024 bits; an RSA key must have 2048 or more" },
        { [Keys(With(TestSigner.Rsa("r").Public, "e", "Aw")), Issuer, Audience], "weak exponent" },
        { [Keys(TestSigner.Hmac("h", new byte[31]).Public), Issuer, Audience, "Algorithms=HS256"], "248 bits; a secret must have 256 or more" },
        { [Keys(TestSigner.Hmac("h", new byte[32]).Public), Issuer, Audience], "HS256, which is not among the algorithms" },
        { [Keys(With(TestSigner.Rsa("r").Public, "alg", "HS256")), Issuer, Audience], "taken for RS256" },
        { [Keys(With(TestSigner.Rsa("r").Public, "use", "enc")), Issuer, Audience], "not for signatures" },
        { [Keys(With(TestSigner.Ecdsa("e").Public, "crv", "P-384")), Issuer, Audience], "not taken" },
        { [Keys(With(TestSigner.Ecdsa("e").Public, "x", new string('A', 43))), Issuer, Audience], "no point of P-256" },
        { [Keys(With(TestSigner.Ecdsa("e").Public, "d", "AAAA")), Issuer, Audience], "private key" },
        { [Keys(With(TestSigner.Ed25519("o").Public, "x", "AAAA")), Issuer, Audience], "a key of Ed25519 has 32" },
        { [Keys(TestSigner.Ecdsa("same").Public, TestSigner.Ecdsa("same").Public), Issuer, Audience], "there twice" },
        { [Keys(TestSigner.Ecdsa("e").Public), Issuer, Audience, "Algorithms=RS256"], "not among the algorithms" },
        { [Keys(TestSigner.Ecdsa("e").Public), Issuer, Audience, "Algorithms=none"], "'none' is not taken" },
        { [Keys(TestSigner.Ecdsa("e").Public), Issuer, Audience, "Algorithms=HS512"], "'HS512' is not taken" },
        { [Keys(TestSigner.Ecdsa("e").Public), Issuer, Audience, "Algorithms="], "No token would be believed" },
        { [Keys(TestSigner.Ecdsa("e").Public), Issuer, Audience, "ClockSkew=00:01:01"], "ClockSkew" },
        { [Keys(TestSigner.Ecdsa("e").Public), Issuer, Audience, "Clockskw=00:00:01"], "did you mean" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Start_WrongSetting_IsRefusedAndTaught(string[] settings, string lesson)
    {
        var refused = Should.Throw<StartException>(() => Start(settings));
        refused.Message.ShouldContain(lesson);
        refused.Message.ShouldContain("Auth:Jwt");
        refused.Message.ShouldNotContain("AAAAAAAA");
    }

    [Fact]
    public void Start_NothingSet_HasNoTokens() => Should.NotThrow(() => Start());

    private static void Start(params string[] settings)
    {
        var builder = ServiceHost.CreateBuilder(["--mode=dev", "--port=0", .. settings.Select(static setting => "--HeartGrains:Auth:Jwt:" + setting)], defaultPort: 0, GatewayHosting.Features);
        builder.Logging.ClearProviders();
        builder.Services.AddTokens(builder.Configuration);
        using var services = builder.Services.BuildServiceProvider();
        services.GetService<JwtKeys>();
    }

    private static string Keys(params JsonObject[] keys) => "Keys=" + TestSigner.SetOf(keys);

    private static JsonObject With(JsonObject key, string member, string value)
    {
        key[member] = value;
        return key;
    }
}
