using System.Buffers;
using System.Buffers.Text;
using System.Numerics;
using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;

namespace HeartGrains.Gateway.Identity.Jwt;

/// <summary>A key that verifies signatures of one algorithm, and of no other: what a token says of its algorithm chooses nothing.</summary>
/// <param name="Kid">Its name in tokens; null for one without.</param>
/// <param name="Algorithm">The algorithm it is for.</param>
/// <param name="Security">The same for the library.</param>
internal sealed record JwtKey(string? Kid, string Algorithm, SecurityKey Security)
{
    public const string Rsa = SecurityAlgorithms.RsaSha256;
    public const string Ecdsa = SecurityAlgorithms.EcdsaSha256;
    public const string Hmac = SecurityAlgorithms.HmacSha256;
    public const string EdDsa = "EdDSA";

    private const int LeastRsaBits = 2048;
    private const int MostRsaBits = 8192;
    private const int LeastRsaExponent = 65_537;
    private const int CoordinateBytes = 32;
    private const int LeastHmacBytes = 32;

    /// <summary>Reads a JSON Web Key (RFC 7517).</summary>
    /// <exception cref="FormatException">It cannot be used; the message says why, and repeats nothing secret.</exception>
    public static JwtKey Of(JsonWebKey key)
    {
        if (key.Use is { } use && use != "sig") throw new FormatException($"is for '{use}', not for signatures");
        if (key.KeyOps.Count > 0 && !key.KeyOps.Contains("verify")) throw new FormatException("is not for verifying: 'verify' is missing in key_ops");
        if (key.D is not null || key.P is not null || key.Q is not null) throw new FormatException("is a private key: leave only the public part here, and keep the other where tokens are signed");
        var (algorithm, security) = (key.Kty, key.Crv) switch
        {
            ("RSA", _) => (Rsa, OfRsa(key)),
            ("EC", "P-256") => (Ecdsa, OfEcdsa(key)),
            ("OKP", "Ed25519") => (EdDsa, (SecurityKey)new Ed25519Key(Read(key.X, "x"))),
            ("oct", _) => (Hmac, OfHmac(key)),
            _ => throw new FormatException($"is of the kind '{key.Kty} {key.Crv}', which is not taken; RSA, EC P-256, OKP Ed25519 and oct are"),
        };
        if (key.Alg is { } told && told != algorithm) throw new FormatException($"is for '{told}'; a key of its kind is taken for {algorithm}");
        return new JwtKey(key.Kid, algorithm, security);
    }

    private static JsonWebKey OfRsa(JsonWebKey key)
    {
        var modulus = new BigInteger(Read(key.N, "n"), isUnsigned: true, isBigEndian: true);
        var exponent = new BigInteger(Read(key.E, "e"), isUnsigned: true, isBigEndian: true);
        var bits = modulus.GetBitLength();
        if (bits < LeastRsaBits) throw new FormatException($"has {bits} bits; an RSA key must have {LeastRsaBits} or more");
        if (bits > MostRsaBits) throw new FormatException($"has {bits} bits; an RSA key may have {MostRsaBits} at most");
        if (exponent < LeastRsaExponent || exponent.IsEven) throw new FormatException($"has a weak exponent; it must be odd and {LeastRsaExponent} or more");
        return new JsonWebKey { Kty = "RSA", N = key.N, E = key.E };
    }

    private static JsonWebKey OfEcdsa(JsonWebKey key)
    {
        var point = new ECPoint { X = Read(key.X, "x"), Y = Read(key.Y, "y") };
        if (point.X.Length != CoordinateBytes || point.Y.Length != CoordinateBytes) throw new FormatException("has coordinates of another length than 32 bytes");
        try
        {
            using var probe = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = point });
        }
        catch (CryptographicException exception)
        {
            throw new FormatException("is no point of P-256", exception);
        }

        return new JsonWebKey { Kty = "EC", Crv = "P-256", X = key.X, Y = key.Y };
    }

    private static JsonWebKey OfHmac(JsonWebKey key)
    {
        var bytes = Read(key.K, "k").Length;
        return bytes >= LeastHmacBytes ? new JsonWebKey { Kty = "oct", K = key.K } : throw new FormatException($"has {bytes * 8} bits; a secret must have {LeastHmacBytes * 8} or more");
    }

    private static byte[] Read(string? text, string member)
    {
        if (string.IsNullOrEmpty(text)) throw new FormatException($"lacks {member}");
        var bytes = new byte[Base64Url.GetMaxDecodedLength(text.Length)];
        return Base64Url.DecodeFromChars(text, bytes, out _, out var length) == OperationStatus.Done ? bytes[..length] : throw new FormatException($"has a {member} that is not base64url");
    }
}
