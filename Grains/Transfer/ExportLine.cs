using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using HeartGrains.Hearts;

namespace HeartGrains.Transfer;

/// <summary>A line of an export; <c>docs/backup.md</c> describes them. Ids that the ledger's key makes are left out wherever names are there to make them from again.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "line")]
[JsonDerivedType(typeof(StartLine), "start")]
[JsonDerivedType(typeof(OpeningLine), "opening")]
[JsonDerivedType(typeof(RuleLine), "rule")]
[JsonDerivedType(typeof(BlockLine), "block")]
[JsonDerivedType(typeof(QuarantineLine), "quarantine")]
[JsonDerivedType(typeof(HeldLine), "held")]
[JsonDerivedType(typeof(EventLine), "event")]
[JsonDerivedType(typeof(EndLine), "end")]
internal abstract record ExportLine;

/// <summary>The first line.</summary>
/// <param name="Format">The version of the format.</param>
/// <param name="Key">The fingerprint of the key that the ids of this export are derived from.</param>
internal sealed record StartLine(int Format, string Key) : ExportLine
{
    public const int CurrentFormat = 1;
}

/// <summary>A target's opening balance.</summary>
internal sealed record OpeningLine(string TargetId, long Count) : ExportLine;

/// <summary>What a target is told.</summary>
internal sealed record RuleLine(string TargetId, bool Frozen, string Reason, [property: JsonConverter(typeof(MicrosConverter))] long At, string? MovedTo = null) : ExportLine;

/// <summary>A blocked user, who stands in the decision <paramref name="Decided"/>; <paramref name="UserKey"/> is for one who is forgotten.</summary>
internal sealed record BlockLine(
    [property: JsonConverter(typeof(MicrosConverter))] long Until,
    [property: JsonConverter(typeof(MicrosConverter))] long Changed,
    long Revision,
    long Decided,
    string UserId,
    Guid? UserKey = null) : ExportLine;

/// <summary>A quarantine.</summary>
internal sealed record QuarantineLine(
    string Id,
    int State,
    [property: JsonConverter(typeof(MicrosConverter))] long Until,
    int Users,
    string Reason,
    string Actor,
    [property: JsonConverter(typeof(MicrosConverter))] long At,
    long Released,
    long Skipped,
    string? TargetId = null,
    [property: JsonConverter(typeof(MicrosConverter))] long? From = null) : ExportLine;

/// <summary>A heart in quarantine, by the event that gave it; <paramref name="Heart"/> is for a user who is forgotten.</summary>
internal sealed record HeldLine(string Id, string TargetId, long Version, string UserId, Guid? Heart = null) : ExportLine;

/// <summary>An event of the log.</summary>
/// <param name="Kind"><c>given</c>, <c>withdrawn</c> or <c>decided</c>.</param>
/// <param name="TargetId">The target; empty for a decision.</param>
/// <param name="Version">Within the target, or among the decisions.</param>
/// <param name="UserId">The user, or the tombstone in the user's place; empty for a decision about nobody.</param>
/// <param name="At">When.</param>
/// <param name="Writer">Who wrote it; a decision's number.</param>
/// <param name="Actor">Who asked for it.</param>
/// <param name="Network">From where.</param>
/// <param name="Cause">Why, unless the user wanted it.</param>
/// <param name="Job">The long operation it was a part of.</param>
/// <param name="Heart">For a user who is forgotten: the id, which nobody can derive any more.</param>
/// <param name="NetworkMac">The same of the network.</param>
/// <param name="About">The target that a decision is about, where its name is known.</param>
/// <param name="AboutKey">The same, as the key makes it.</param>
/// <param name="Detail">What was decided.</param>
/// <param name="OtherUserId">The user whose keyed hash stands in the detail of a merge.</param>
internal sealed record EventLine(
    string Kind,
    string TargetId,
    long Version,
    string UserId,
    [property: JsonConverter(typeof(MicrosConverter))] long At,
    long Writer,
    string Actor,
    string? Network = null,
    string? Cause = null,
    string? Job = null,
    Guid? Heart = null,
    long? NetworkMac = null,
    string? About = null,
    Guid? AboutKey = null,
    JsonElement? Detail = null,
    string? OtherUserId = null) : ExportLine;

/// <summary>The last line.</summary>
/// <param name="Lines">How many lines were before it.</param>
/// <param name="Sha256">The hash of their bytes, line ends included.</param>
internal sealed record EndLine(long Lines, string Sha256) : ExportLine;

/// <summary>Microseconds since 1970-01-01 UTC as RFC 3339.</summary>
internal sealed class MicrosConverter : JsonConverter<long>
{
    public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        DateTimeOffset.TryParseExact(reader.GetString(), LogTime.Format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? LogTime.MicrosOf(time)
            : throw new JsonException("A time is written as 2026-05-04T03:02:01.000000Z.");

    public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options) =>
        writer.WriteStringValue(LogTime.TextOf(value));
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ExportLine))]
internal sealed partial class ExportJson : JsonSerializerContext;
