using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Security;

namespace HeartGrains.Tests.Identity.Jwt;

/// <summary>Signs tokens as an issuer does, and as nobody should: header and claims are whatever a test writes.</summary>
internal sealed class TestSigner
{
    public const string Issuer = "https://login.example.com";
    public const string Audience = "hearts";

    private readonly Func<byte[], byte[]> _sign;

    private TestSigner(string kid, string algorithm, JsonObject publicKey, Func<byte[], byte[]> sign)
    {
        (Kid, Algorithm, _sign) = (kid, algorithm, sign);
        publicKey["kid"] = kid;
        Public = publicKey;
    }

    public string Kid { get; }

    public string Algorithm { get; }

    /// <summary>The key as a JSON Web Key: of HS256 the secret itself.</summary>
    public JsonObject Public { get; }

    public static TestSigner Rsa(string kid, int bits = 2048)
    {
        var rsa = RSA.Create(bits);
        var key = rsa.ExportParameters(false);
        return new TestSigner(
            kid, "RS256", new JsonObject { ["kty"] = "RSA", ["n"] = Encode(key.Modulus!), ["e"] = Encode(key.Exponent!) },
            data => rsa.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    public static TestSigner Ecdsa(string kid)
    {
        var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = ecdsa.ExportParameters(false).Q;
        return new TestSigner(
            kid, "ES256", new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = Encode(point.X!), ["y"] = Encode(point.Y!) }, data => ecdsa.SignData(data, HashAlgorithmName.SHA256));
    }

    public static TestSigner Ed25519(string kid)
    {
        var secret = new Ed25519PrivateKeyParameters(new SecureRandom());
        return new TestSigner(
            kid, "EdDSA", new JsonObject { ["kty"] = "OKP", ["crv"] = "Ed25519", ["x"] = Encode(secret.GeneratePublicKey().GetEncoded()) },
            data =>
            {
                var signer = new Ed25519Signer();
                signer.Init(true, secret);
                signer.BlockUpdate(data, 0, data.Length);
                return signer.GenerateSignature();
            });
    }

    public static TestSigner Hmac(string kid, byte[] secret) =>
        new(kid, "HS256", new JsonObject { ["kty"] = "oct", ["k"] = Encode(secret) }, data => HMACSHA256.HashData(secret, data));

    /// <summary>A good token of a user.</summary>
    public string Sign(string user, DateTimeOffset now, string? claims = null) => Sign(Header(), claims ?? Claims(user, now));

    /// <summary>Any token.</summary>
    public string Sign(string header, string claims)
    {
        var signed = Encode(Encoding.UTF8.GetBytes(header)) + "." + Encode(Encoding.UTF8.GetBytes(claims));
        return signed + "." + Encode(_sign(Encoding.ASCII.GetBytes(signed)));
    }

    public string Header() => $$"""{"alg":"{{Algorithm}}","typ":"JWT","kid":"{{Kid}}"}""";

    public static string Claims(string user, DateTimeOffset now, string issuer = Issuer) =>
        JsonSerializer.Serialize(new { iss = issuer, aud = Audience, sub = user, exp = now.ToUnixTimeSeconds() + 300 });

    /// <summary>A JSON Web Key Set.</summary>
    public static string SetOf(params TestSigner[] signers) => SetOf([.. signers.Select(static signer => signer.Public)]);

    public static string SetOf(params JsonObject[] keys) => new JsonObject { ["keys"] = new JsonArray([.. keys.Select(static key => key.DeepClone())]) }.ToJsonString();

    public static string Encode(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
