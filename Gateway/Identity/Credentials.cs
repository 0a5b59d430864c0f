using System.Security.Cryptography;
using System.Text;
using HeartGrains.Gateway.Identity.Jwt;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.Identity;

/// <summary>Reads the header <c>Authorization: Bearer …</c> and finds out what it proves.</summary>
internal sealed class Credentials(LiveSettings<AuthPolicy> policy, IdentityMetrics metrics, JwtVerifier? tokens = null)
{
    /// <summary>The longest token or key that is looked at.</summary>
    public const int ByteLimit = 8 * 1024;

    private const string Scheme = "Bearer ";
    private static readonly Proof Unknown = Proof.Refuted("no key of this service");
    private static readonly Proof TooLong = Proof.Refuted("longer than 8192 bytes");

    /// <summary>
    /// What the call proves; null when it brings nothing. A header of another scheme, such as a proxy's own password, is not for this service. A user's token that was not seen before is believed
    /// only after <see cref="VerifyAsync"/>.
    /// </summary>
    public Proof? Judge(HttpContext context)
    {
        var header = context.Request.Headers.Authorization;
        if (header.Count == 0) return null;
        return context.Features.Get<Proof>() ?? Judge(header.ToString());
    }

    /// <summary>Finds out what the call proves, once, and keeps it with the call. There is something to wait for only when a user's token was not seen before.</summary>
    public ValueTask VerifyAsync(HttpContext context)
    {
        var token = TokenOf(context.Request.Headers.Authorization.ToString());
        if (token.IsEmpty) return default;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        if (token.Length > ByteLimit)
        {
            Keep(context, TooLong);
            return default;
        }

        Hash(token, hash);
        var proof = Find(hash);
        if (proof is null && tokens is not null) return new ValueTask(VerifyAsync(context, tokens, token.ToString(), hash.ToArray()));
        Keep(context, proof ?? Unknown);
        return default;
    }

    private async Task VerifyAsync(HttpContext context, JwtVerifier verifier, string token, byte[] hash) =>
        Keep(context, await verifier.JudgeAsync(token, hash).WaitAsync(context.RequestAborted));

    private void Keep(HttpContext context, Proof proof)
    {
        context.Features.Set(proof);
        if (proof.Key is not null) metrics.CountKey();
        else if (proof.UserId is not null) metrics.CountToken();
        else if (proof.Fault is not null) metrics.CountRefused();
        else metrics.CountUndecided();
    }

    private Proof? Judge(string header)
    {
        var token = TokenOf(header);
        if (token.IsEmpty) return null;
        if (token.Length > ByteLimit) return TooLong;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(token, hash);
        return Find(hash) ?? Unknown;
    }

    private Proof? Find(ReadOnlySpan<byte> hash) => policy.Current.Keys.Find(hash) is { } key ? key.Proof : tokens?.Recall(hash);

    private static ReadOnlySpan<char> TokenOf(string header) => header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header.AsSpan(Scheme.Length).Trim() : [];

    private static void Hash(ReadOnlySpan<char> token, Span<byte> hash)
    {
        Span<byte> bytes = stackalloc byte[1024];
        if (token.Length > bytes.Length / 3) bytes = new byte[Encoding.UTF8.GetByteCount(token)];
        SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(token, bytes)], hash);
    }
}
