using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace HeartGrains.Gateway.Identity.Jwt;

/// <summary>Believes a user's token, or says why not.</summary>
internal sealed class JwtVerifier(JwtTerms terms, JwtKeys keys, TimeProvider time)
{
    // Of some library's own check of the size; ours is made before.
    private readonly JsonWebTokenHandler _handler = new() { MaximumTokenSizeInBytes = Credentials.ByteLimit };
    private readonly CryptoProviderFactory _crypto = new() { CustomCryptoProvider = new Ed25519Provider() };

    /// <summary>What a token proves that was verified before; null when it was not, or under other keys.</summary>
    public Proof? Recall(ReadOnlySpan<byte> hash) => keys.Current?.Remembered.Find(hash, time.GetUtcNow());

    /// <summary>Whether the token proves who its user is.</summary>
    /// <param name="token">As it was sent.</param>
    /// <param name="hash">Its SHA-256, by which it is remembered.</param>
    public async Task<Proof> JudgeAsync(string token, byte[] hash)
    {
        if (JwtShape.Read(token, out var shape) is { } fault) return Proof.Refuted(fault);
        if (!terms.Algorithms.Contains(shape.Algorithm, StringComparer.Ordinal)) return Proof.Refuted("an algorithm that is not taken");
        var now = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;
        var skew = terms.Options.ClockSkew.TotalSeconds;
        if (shape.Expires + skew <= now) return Proof.Refuted("expired");
        if (shape.NotBefore - skew > now) return Proof.Refuted("not valid yet");

        var set = keys.Current;
        var key = set?.Find(shape.Kid, shape.Algorithm);
        if (key is null)
        {
            await keys.RefreshAsync();
            set = keys.Current;
            key = set?.Find(shape.Kid, shape.Algorithm);
        }

        if (set is null || (key is null && keys.IsBehind)) return Proof.Undecided;
        if (key is null) return Proof.Refuted("signed with a key that is not known");
        if (key.Algorithm != shape.Algorithm) return Proof.Refuted("an algorithm that its key is not for");
        var result = await _handler.ValidateTokenAsync(token, TermsOf(set, key));
        if (!result.IsValid) return Proof.Refuted(FaultOf(result.Exception));

        var proof = Proof.OfUser(shape.UserId, ToTime(shape.Expires + skew));
        set.Remembered.Add(hash, proof);
        return proof;
    }

    private TokenValidationParameters TermsOf(JwtKeySet set, JwtKey key) => new()
    {
        IssuerSigningKeyResolver = (_, _, _, _) => [key.Security],
        ValidAlgorithms = [key.Algorithm],
        CryptoProviderFactory = _crypto,
        ValidIssuer = set.Issuer,
        ValidAudience = terms.Audience,
        IgnoreTrailingSlashWhenValidatingAudience = false,
        RequireSignedTokens = true,

        // Done above, by the clock that the program has.
        ValidateLifetime = false,
    };

    private static DateTimeOffset ToTime(double seconds) => DateTimeOffset.FromUnixTimeSeconds((long)Math.Clamp(seconds, 0, DateTimeOffset.MaxValue.ToUnixTimeSeconds()));

    private static string FaultOf(Exception exception) => exception switch
    {
        SecurityTokenInvalidIssuerException => "of another issuer (iss)",
        SecurityTokenInvalidAudienceException => "for another service (aud)",
        SecurityTokenInvalidSignatureException => "the signature is not its key's",
        _ => "a claim or a signature that cannot be read",
    };
}
