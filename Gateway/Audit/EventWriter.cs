using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using HeartGrains.Audit;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Audit;

/// <summary>Writes events as JSON. What is not known or does not apply of an event is left out.</summary>
internal static class EventWriter
{
    public static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An event's id, the same for ever: <c>e</c> and 32 characters of base64url of its target's key and its version.</summary>
    public static string IdOf(in EventPosition position)
    {
        Span<byte> bytes = stackalloc byte[24];
        position.Target.TryWriteBytes(bytes, bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(bytes[16..], position.Version);
        return "e" + Base64Url.EncodeToString(bytes);
    }

    public static void Write(Utf8JsonWriter json, FeedEvent told)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, IdOf(told.Position));
        json.WriteString("type"u8, told.Type);
        Write(json, "cause"u8, NameOf(told.Origin.Cause));
        Write(json, "target_id"u8, told.TargetId);
        Write(json, "user_id"u8, told.UserId);
        Write(json, "heart"u8, told.Heart?.ToString());
        json.WriteNumber("version"u8, told.Position.Version);
        json.WriteString("at"u8, LogTime.TextOf(told.AtMicros));
        json.WriteString("actor"u8, told.Origin.Actor);
        Write(json, "network"u8, told.Origin.Network);
        Write(json, "job"u8, told.Origin.Job);
        Write(json, "subject"u8, told.Subject);
        Write(json, "opening"u8, told.Opening);
        Write(json, "opening_before"u8, told.OpeningBefore);
        if (told.Detail is { } detail) Write(json, detail);
        Write(json, "reason"u8, told.Reason);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, FeedDetail detail)
    {
        Write(json, "to"u8, detail.To);
        Write(json, "since"u8, detail.SinceMicros is { } since ? LogTime.TextOf(since) : null);
        Write(json, "until"u8, detail.UntilMicros is { } until ? LogTime.TextOf(until) : null);
        Write(json, "users"u8, detail.Users);
        Write(json, "quarantine"u8, detail.Quarantine);
        Write(json, "hearts"u8, detail.Hearts);
        Write(json, "rows"u8, detail.Rows);
        Write(json, "moved"u8, detail.Moved);
        Write(json, "already"u8, detail.Already);
        Write(json, "left"u8, detail.Left);
        if (detail.Found is not { } found) return;
        json.WriteStartArray("found"u8);
        foreach (var kind in found) json.WriteStringValue(kind);
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, string? value)
    {
        if (value is not null) json.WriteString(name, value);
    }

    private static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> name, long? value)
    {
        if (value is { } number) json.WriteNumber(name, number);
    }

    private static string? NameOf(HeartCause cause) => cause switch
    {
        HeartCause.Merged => "merged",
        HeartCause.Erased => "erased",
        HeartCause.Quarantined => "quarantined",
        HeartCause.Released => "released",
        HeartCause.Moved => "moved",
        _ => null,
    };
}
