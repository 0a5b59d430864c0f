using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using HeartGrains.Tests.Identity.Jwt;

namespace HeartGrains.Tests.BadInput;

/// <summary>Tokens as a row describes them: signed by one of the signers over any header and claims, or a good token spoilt.</summary>
internal static class BadTokens
{
    private const string GoodClaims = """{"iss":"https://login.example.com","aud":"hearts","sub":"USER","exp":"@300"}""";
    private static readonly TestSigner Strange = TestSigner.Rsa("strange");

    /// <summary>The token of a row.</summary>
    public static string Of(JsonElement row, string user)
    {
        var now = TimeProvider.System.GetUtcNow();
        if (BadInputTable.TextOf(row, "token") is { } form) return Spoil(form, JwtServer.Ecdsa.Sign(user, now));
        var header = BadInputTable.TextOf(row, "header")!.Replace("\"JWK\"", Strange.Public.ToJsonString(), StringComparison.Ordinal);
        var claims = BadInputTable.AtTime(BadInputTable.TextOf(row, "claims") ?? GoodClaims, now).Replace("USER", user, StringComparison.Ordinal);
        return Sign(row.GetProperty("signer").GetString()!, header, claims);
    }

    private static string Spoil(string form, string good)
    {
        var parts = good.Split('.');
        return form.Replace("TOKEN", good, StringComparison.Ordinal).Replace("HEADER", parts[0], StringComparison.Ordinal).Replace("CLAIMS", parts[1], StringComparison.Ordinal)
            .Replace("SIGNATURE", parts[2], StringComparison.Ordinal).Replace("HALF", parts[2][..40], StringComparison.Ordinal);
    }

    private static string Sign(string signer, string header, string claims) => signer switch
    {
        "rsa" => JwtServer.Rsa.Sign(header, claims),
        "ec" => JwtServer.Ecdsa.Sign(header, claims),
        "strange" => Strange.Sign(header, claims),
        "rsa-as-secret" => TestSigner.Hmac("rsa", Encoding.UTF8.GetBytes((string)JwtServer.Rsa.Public["n"]!)).Sign(header, claims),
        "pem-as-secret" => TestSigner.Hmac("rsa", Encoding.UTF8.GetBytes(Pem())).Sign(header, claims),
        "none" => JwtServer.Rsa.Sign(header, claims) is var token ? token[..(token.LastIndexOf('.') + 1)] : "",
        _ => throw new InvalidOperationException($"'{signer}' signs nothing"),
    };

    private static string Pem()
    {
        using var rsa = RSA.Create(new RSAParameters { Modulus = Base64Url.DecodeFromChars((string)JwtServer.Rsa.Public["n"]!), Exponent = Base64Url.DecodeFromChars((string)JwtServer.Rsa.Public["e"]!) });
        return rsa.ExportSubjectPublicKeyInfoPem();
    }
}
