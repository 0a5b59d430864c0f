using System.Security.Cryptography;
using System.Text;
using HeartGrains.Gateway.Identity.Jwt;
using HeartGrains.Hosting;
using Microsoft.Extensions.Primitives;

namespace HeartGrains.Gateway.Identity;

/// <summary>Reads the header <c>Authorization: Bearer …</c> and finds out what it proves.</summary>
internal sealed class Credentials(LiveSettings<AuthPolicy> policy, IdentityMetrics metrics, JwtVerifier? tokens = null)
{
    /// <summary>The longest token or key that is looked at.</summary>
    public const int ByteLimit = 8 * 1024;

    private const string Scheme = "Bearer";
    private static readonly Proof Unknown = Proof.Refuted("no key of this service");
    private static readonly Proof TooLong = Proof.Refuted("longer than 8192 bytes");
    private static readonly Proof Missing = Proof.Refuted("there is none");
    private static readonly Proof Several = Proof.Refuted("sent beside others");

    /// <summary>
    /// What the call proves; null when it brings nothing. A header of another scheme, such as a proxy's own password, is not for this service.
    /// </summary>
    /// <exception cref="InvalidOperationException">The call went past <see cref="IdentityMiddleware"/>: its endpoint lacks <see cref="JudgesCallers"/>.</exception>
    public Proof? Judge(HttpContext context)
    {
        var header = context.Request.Headers.Authorization;
        if (header.Count == 0) return null;
        return context.Features.Get<Proof>() ?? (IsBearer(header) ? throw new InvalidOperationException("The endpoint judges callers and does not say so.") : null);
    }

    /// <summary>Whether there is nothing to look into: no credentials, or such as are known, which are kept with the call.</summary>
    public bool TryRecall(HttpContext context)
    {
        var header = context.Request.Headers.Authorization;
        if (!IsBearer(header)) return true;
        if (!TryReadToken(header, out var token) || token.Length > ByteLimit) return false;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(token, hash);
        if (Find(hash) is not { } proof) return false;
        Keep(context, proof);
        return true;
    }

    /// <summary>Finds out what credentials prove that are not known, and keeps it with the call. There is something to wait for only when they may be a user's token.</summary>
    public ValueTask VerifyAsync(HttpContext context)
    {
        var isOne = TryReadToken(context.Request.Headers.Authorization, out var token);
        if (isOne && tokens is not null && token.Length is > 0 and <= ByteLimit)
        {
            var hash = new byte[SHA256.HashSizeInBytes];
            Hash(token, hash);
            return new ValueTask(VerifyAsync(context, tokens, token.ToString(), hash));
        }

        Keep(context, !isOne ? Several : token.IsEmpty ? Missing : token.Length > ByteLimit ? TooLong : Unknown);
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

    private Proof? Find(ReadOnlySpan<byte> hash) => policy.Current.Keys.Find(hash) is { } key ? key.Proof : tokens?.Recall(hash);

    /// <summary>Whether any of the headers, which who passes them on may have put into one, is for this service, with a token or without.</summary>
    private static bool IsBearer(StringValues headers)
    {
        foreach (var header in headers)
        {
            foreach (var part in header.AsSpan().Split(','))
                if (StartsAsBearer(header.AsSpan(part).TrimStart())) return true;
        }

        return false;
    }

    private static bool StartsAsBearer(ReadOnlySpan<char> header) =>
        header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && (header.Length == Scheme.Length || !(char.IsAsciiLetterOrDigit(header[Scheme.Length]) || header[Scheme.Length] is '-' or '_' or '.'));

    /// <summary>The token, which may be empty; false where there is another header beside it.</summary>
    private static bool TryReadToken(StringValues headers, out ReadOnlySpan<char> token)
    {
        var isOne = headers.Count == 1 && StartsAsBearer(headers[0]);
        token = isOne ? headers[0].AsSpan(Scheme.Length).Trim() : [];
        return isOne;
    }

    private static void Hash(ReadOnlySpan<char> token, Span<byte> hash)
    {
        Span<byte> bytes = stackalloc byte[1024];
        if (token.Length > bytes.Length / 3) bytes = new byte[Encoding.UTF8.GetByteCount(token)];
        SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(token, bytes)], hash);
    }
}
