using System.Text.Json;
using System.Text.Json.Nodes;

namespace HeartGrains.Moderation;

/// <summary>What a decision's event says beside its columns. A user's id is never in it.</summary>
internal static class ModerationDetail
{
    /// <summary>That a target is another's name.</summary>
    public const string Moved = "moved";

    /// <summary>A decision's JSON; what is null is left out.</summary>
    public static string Of(string action, string? reason, params ReadOnlySpan<(string Name, JsonNode? Value)> more)
    {
        var detail = new JsonObject { ["action"] = action };
        if (reason is not null) detail["reason"] = reason;
        foreach (var (name, value) in more)
            if (value is not null) detail[name] = value;
        return detail.ToJsonString(Relaxed);
    }

    /// <summary>The reason in it, or null.</summary>
    public static string? ReasonOf(string detail) => Find(detail, "reason");

    /// <summary>The target it is about, or null.</summary>
    public static string? TargetOf(string detail) => Find(detail, "target_id");

    /// <summary>Where a target is to be moved, or null.</summary>
    public static string? ToOf(string detail) => Find(detail, "to");

    /// <summary>Until when a user is to be blocked; 0 when no longer.</summary>
    public static long UntilOf(string detail) => FindValue(detail, "until_micros") is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out var micros) ? micros : 0;

    /// <summary>What was decided.</summary>
    public static string ActionOf(string detail) => Find(detail, "action") ?? "decided";

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string? Find(string detail, string name) => FindValue(detail, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    private static JsonElement? FindValue(string detail, string name)
    {
        try
        {
            using var document = JsonDocument.Parse(detail);
            return document.RootElement.TryGetProperty(name, out var value) ? value.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
