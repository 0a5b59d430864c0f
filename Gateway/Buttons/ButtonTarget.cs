using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using HeartGrains.Gateway.Hearts;

namespace HeartGrains.Gateway.Buttons;

/// <summary>Target ids of pages that buttons made elsewhere name by their addresses.</summary>
internal static class ButtonTarget
{
    /// <summary>
    /// The id <c>prefix:name</c>, or <c>prefix-sha256:…</c> of a name too long for one, which no short name can be; null for a name that no id can hold.
    /// </summary>
    public static string? Of(string prefix, string name)
    {
        var id = $"{prefix}:{name}";
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(id.Length)];
        var length = Encoding.UTF8.GetBytes(id, bytes);
        if (Identifier.Check(bytes.AsSpan(0, length), int.MaxValue, out _) is not null) return null;
        return length <= Identifier.TargetByteLimit ? id : $"{prefix}-sha256:{Base64Url.EncodeToString(SHA256.HashData(bytes.AsSpan(0, length)))}";
    }
}
