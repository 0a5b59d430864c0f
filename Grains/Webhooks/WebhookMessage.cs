using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using HeartGrains.Hearts;

namespace HeartGrains.Webhooks;

/// <summary>
/// <c>{"type":"hearts.changed","data":{"target_id","count","version","opening"?}}</c>. The same state of a target has the same id and the same bytes, however often it is sent.
/// </summary>
internal static class WebhookMessage
{
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The header <c>webhook-id</c>: <c>msg_</c> and 22 characters of base64url.</summary>
    public static string IdOf(string endpoint, Guid target, in HeartState state)
    {
        const int StateBytes = 40;
        Span<byte> bytes = stackalloc byte[StateBytes + 64];
        target.TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(bytes[16..], state.Version);
        BinaryPrimitives.WriteInt64BigEndian(bytes[24..], state.Opening);

        // A target that becomes another's name may have the same version, and a count that was moved on.
        BinaryPrimitives.WriteInt64BigEndian(bytes[32..], state.Count);
        var length = StateBytes + Encoding.ASCII.GetBytes(endpoint, bytes[StateBytes..]);
        return "msg_" + Base64Url.EncodeToString(SHA256.HashData(bytes[..length]).AsSpan(0, 16));
    }

    public static byte[] Write(string targetId, in HeartState state)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "hearts.changed"u8);
            json.WriteStartObject("data"u8);
            json.WriteString("target_id"u8, targetId);
            json.WriteNumber("count"u8, state.Count);
            json.WriteNumber("version"u8, state.Version);
            if (state.Opening > 0) json.WriteNumber("opening"u8, state.Opening);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }
}
