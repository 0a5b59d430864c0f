using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Problems;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Operations;

/// <summary>What operators' bodies have in common. Each check returns what is wrong, or null.</summary>
internal static class OperatorFields
{
    private const int ReasonLimit = 200;

    /// <summary>Reads a body of the fields of <typeparamref name="T"/>, each given once and none besides.</summary>
    public static Parsed<T> Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) is { } body ? new(body, null) : Refuse(null);
        }
        catch (JsonException exception)
        {
            return Refuse(exception.Path);
        }

        Parsed<T> Refuse(string? path) => new(null!, new Rejection(Problem.InvalidJson, "The body is not the JSON object that is wanted.").Add(
            path is { Length: > 2 } ? path[2..] : "body",
            $"must be one JSON object with the fields {string.Join(", ", type.Properties.Select(static property => property.Name))}, each of its type and given once"));
    }

    /// <summary>A reason: a line of text that can stand in lists and logs.</summary>
    public static string? CheckReason(string? text, out string reason)
    {
        reason = text?.Trim() ?? "";
        return reason.Length is 0 or > ReasonLimit || text!.EnumerateRunes().Any(IsInvisible)
            ? $"must say why, in 1 to {ReasonLimit} characters, none of which controls or formats text or ends a line"
            : null;
    }

    /// <summary>A target's id.</summary>
    public static string? CheckTarget(string? text) => CheckIdentifier(text, Identifier.TargetByteLimit);

    /// <summary>Why no order is about a tombstone.</summary>
    public const string NoTombstone = "must not begin with " + Readers.Tombstone;

    /// <summary>A user's id. A tombstone is nobody's: in the log it would say that somebody was erased.</summary>
    public static string? CheckUser(string? text) => Readers.IsTombstone(text) ? NoTombstone : CheckIdentifier(text, Identifier.UserByteLimit);

    /// <summary>How long, such as 30s, 10m, 2h or 7d.</summary>
    public static bool TryReadTime(string? text, TimeSpan longest, out TimeSpan time)
    {
        time = default;
        if (text is not [.., var unit] || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
        TimeSpan? one = unit switch { 's' => TimeSpan.FromSeconds(1), 'm' => TimeSpan.FromMinutes(1), 'h' => TimeSpan.FromHours(1), 'd' => TimeSpan.FromDays(1), _ => null };
        if (one is not { } length || number > longest / length) return false;
        time = length * number;
        return true;
    }

    /// <summary>A moment as RFC 3339 writes it, with its offset.</summary>
    public static bool TryReadMoment(string? text, out DateTimeOffset moment)
    {
        moment = default;
        return text is { Length: >= 20 and <= 40 } && text[10] is 'T' && (text[^1] is 'Z' || text[^6] is '+' or '-')
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal, out moment)
            && moment >= DateTimeOffset.UnixEpoch;
    }

    /// <summary>A moment as RFC 3339 writes it; null for none.</summary>
    public static string? Write(long? micros) => micros is { } at ? LogTime.TextOf(at) : null;

    private static string? CheckIdentifier(string? text, int byteLimit) =>
        text is null ? "is missing"
        : text.Length > byteLimit ? Identifier.TooLong(byteLimit)
        : Identifier.Check(Encoding.UTF8.GetBytes(text), byteLimit, out _);

    /// <summary>Would change how a log line or a list looks.</summary>
    private static bool IsInvisible(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
