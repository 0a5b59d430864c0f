using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace HeartGrains.Gateway.Hearts;

/// <summary>
/// Where a page of a target's users ended: the version of its last heart, and a checksum that binds it to the target. It keeps clients
/// from mixing cursors up; it hides nothing and protects nothing, for the list is open to every caller anyway.
/// </summary>
internal static class UserCursor
{
    private const int VersionBytes = 8;
    private const int CheckBytes = 8;
    private const int TextLength = 22;

    /// <summary>The cursor after the heart given at <paramref name="version"/>.</summary>
    public static string Encode(string targetId, long version)
    {
        Span<byte> bytes = stackalloc byte[VersionBytes + CheckBytes];
        BinaryPrimitives.WriteInt64BigEndian(bytes, version);
        Check(targetId, bytes[..VersionBytes], bytes[VersionBytes..]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Reads a cursor of this target; false for anything else.</summary>
    public static bool TryDecode(string cursor, string targetId, out long version)
    {
        version = 0;
        Span<byte> bytes = stackalloc byte[VersionBytes + CheckBytes];
        if (cursor.Length != TextLength || !Base64Url.IsValid(cursor)) return false;
        if (!Base64Url.TryDecodeFromChars(cursor, bytes, out var written) || written != bytes.Length) return false;

        version = BinaryPrimitives.ReadInt64BigEndian(bytes);

        // The last character has bits to spare: only the spelling we wrote is ours.
        return version > 0 && Encode(targetId, version) == cursor;
    }

    private static void Check(string targetId, ReadOnlySpan<byte> version, Span<byte> check)
    {
        Span<byte> message = stackalloc byte[VersionBytes + (Identifier.TargetByteLimit * 2)];
        version.CopyTo(message);
        var length = VersionBytes + Encoding.UTF8.GetBytes(targetId, message[VersionBytes..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(message[..length], hash);
        hash[..CheckBytes].CopyTo(check);
    }
}
