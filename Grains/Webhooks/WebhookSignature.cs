using System.Security.Cryptography;
using System.Text;

namespace HeartGrains.Webhooks;

/// <summary>
/// Signs messages as Standard Webhooks 1.0 says (github.com/standard-webhooks/standard-webhooks): <c>v1,</c> and the base64 of HMAC-SHA-256 over <c>id.timestamp.body</c>, one for each secret.
/// </summary>
internal sealed class WebhookSignature(string secret, string? previousSecret)
{
    /// <summary>Base64 of 24 to 64 bytes behind the prefix.</summary>
    public const string SecretPattern = "whsec_[A-Za-z0-9+/]{32,86}={0,2}";

    private const string Prefix = "whsec_";

    private readonly byte[][] _keys = [.. new[] { secret, previousSecret }.OfType<string>().Select(static text => Convert.FromBase64String(text[Prefix.Length..]))];

    /// <summary>The value of the header <c>webhook-signature</c>.</summary>
    public string Of(string id, long timestamp, ReadOnlySpan<byte> body)
    {
        var head = Encoding.ASCII.GetBytes($"{id}.{timestamp}.");
        var signed = new byte[head.Length + body.Length];
        head.CopyTo(signed, 0);
        body.CopyTo(signed.AsSpan(head.Length));
        return string.Join(' ', _keys.Select(key => "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed))));
    }
}
