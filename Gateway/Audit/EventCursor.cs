using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using HeartGrains.Audit;

namespace HeartGrains.Gateway.Audit;

/// <summary>
/// A place in the log, as clients carry it: its format's number, the place, and a checksum. The same for every filter, and good for ever. It hides nothing; the checksum tells a cursor from what was cut or made up.
/// </summary>
internal static class EventCursor
{
    private const byte Format = 1;
    private const int PlaceBytes = 1 + 8 + 16 + 8;
    private const int CheckBytes = 6;
    private const int TextLength = (PlaceBytes + CheckBytes) / 3 * 4;

    public static string Encode(in EventPosition position)
    {
        Span<byte> bytes = stackalloc byte[PlaceBytes + CheckBytes];
        bytes[0] = Format;
        BinaryPrimitives.WriteInt64BigEndian(bytes[1..], position.Order);
        position.Target.TryWriteBytes(bytes[9..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(bytes[25..], position.Version);
        Check(bytes[..PlaceBytes], bytes[PlaceBytes..]);
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Reads a cursor; false for anything else.</summary>
    public static bool TryDecode(string cursor, out EventPosition position)
    {
        position = default;
        Span<byte> bytes = stackalloc byte[PlaceBytes + CheckBytes];
        Span<byte> check = stackalloc byte[CheckBytes];
        if (cursor.Length != TextLength || !Base64Url.IsValid(cursor) || !Base64Url.TryDecodeFromChars(cursor, bytes, out var written) || written != bytes.Length) return false;
        Check(bytes[..PlaceBytes], check);
        if (bytes[0] != Format || !check.SequenceEqual(bytes[PlaceBytes..])) return false;
        position = new EventPosition(
            BinaryPrimitives.ReadInt64BigEndian(bytes[1..]), new Guid(bytes.Slice(9, 16), bigEndian: true), BinaryPrimitives.ReadInt64BigEndian(bytes[25..]));
        return position.Order >= 0 && position.Version >= 0;
    }

    private static void Check(ReadOnlySpan<byte> place, Span<byte> check)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(place, hash);
        hash[..CheckBytes].CopyTo(check);
    }
}
