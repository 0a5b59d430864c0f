using System.Buffers.Binary;
using System.Buffers.Text;

namespace HeartGrains.Audit;

/// <summary>The stable ids of events: <c>e</c> and base64url of target and version.</summary>
internal static class EventIds
{
    /// <summary>The id of the event at a place.</summary>
    public static string Of(in EventPosition position)
    {
        Span<byte> bytes = stackalloc byte[24];
        position.Target.TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(bytes[16..], position.Version);
        return "e" + Base64Url.EncodeToString(bytes);
    }
}
