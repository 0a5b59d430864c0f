using System.Security.Cryptography;
using System.Text;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.Identity;

/// <summary>Reads the header <c>Authorization: Bearer …</c> and finds out what it proves.</summary>
internal sealed class Credentials(LiveSettings<AuthPolicy> policy)
{
    private const string Scheme = "Bearer ";
    private const int ByteLimit = 8 * 1024;
    private static readonly Proof Unknown = Proof.Refuted("no key of this service");
    private static readonly Proof TooLong = Proof.Refuted("longer than 8192 bytes");

    /// <summary>What the call proves; null when it brings nothing. A header of another scheme, such as a proxy's own password, is not for this service.</summary>
    public Proof? Judge(HttpContext context)
    {
        var headers = context.Request.Headers.Authorization;
        return headers.Count == 0 ? null : Judge(headers.ToString());
    }

    private Proof? Judge(string header)
    {
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return null;
        var token = header.AsSpan(Scheme.Length).Trim();
        if (token.Length > ByteLimit) return TooLong;

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Hash(token, hash);
        return policy.Current.Keys.Find(hash) is { } key ? Proof.OfServer(key) : Unknown;
    }

    private static void Hash(ReadOnlySpan<char> token, Span<byte> hash)
    {
        Span<byte> bytes = stackalloc byte[1024];
        if (token.Length > bytes.Length / 3) bytes = new byte[Encoding.UTF8.GetByteCount(token)];
        SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(token, bytes)], hash);
    }
}
