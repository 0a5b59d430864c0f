using System.Text.Json;
using System.Text.Json.Serialization;

namespace HeartGrains.Audit;

/// <summary>The detail of a decision, as far as everybody reads it.</summary>
internal sealed record DecisionDetail(string? Action, string? Reason, string? TargetId);

/// <summary>The detail of the decision that a target was made anew.</summary>
internal sealed record RepairDetail(string Action, string Reason, string? TargetId, string[] Found);

/// <summary>The detail of the decision that a user is forgotten: <c>{"action":"erased","receipt":"…","rows":3}</c>. Without rows it is not over yet.</summary>
internal sealed record Erasure(string? Action, string? Receipt, long? Rows)
{
    private static readonly string[] Actions = ["erased", "erasing"];

    /// <summary>Reads a detail; null when it is another's.</summary>
    public static Erasure? Read(string detail)
    {
        try
        {
            return JsonSerializer.Deserialize(detail, AuditJson.Default.Erasure) is { } erasure && Actions.Contains(erasure.Action) ? erasure : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DecisionDetail))]
[JsonSerializable(typeof(RepairDetail))]
[JsonSerializable(typeof(Erasure))]
internal sealed partial class AuditJson : JsonSerializerContext;
