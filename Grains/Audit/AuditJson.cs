using System.Text.Json;
using System.Text.Json.Serialization;

namespace HeartGrains.Audit;

/// <summary>The detail of a decision, as far as everybody reads it.</summary>
/// <param name="Action">What was decided.</param>
/// <param name="Reason">Why, in the operator's words.</param>
/// <param name="TargetId">The target it is about, whose name the log may not know.</param>
/// <param name="Subject">What it is about that is neither a target nor a user: a breaker, or an endpoint of webhooks.</param>
/// <param name="Opening">The opening balance that was set.</param>
/// <param name="OpeningBefore">What it was.</param>
/// <param name="To">See <see cref="FeedDetail"/>, as the rest. Keyed hashes of users, which a merge has, are not read: they are nobody's but the log's.</param>
internal sealed record DecisionDetail(
    string? Action, string? Reason, string? TargetId, string? Subject, long? Opening, long? OpeningBefore,
    string? To, long? FromMicros, long? UntilMicros, int? Users, string? Quarantine, long? Hearts, long? Rows, long? Moved, long? Already, long? Left, string[]? Found)
{
    private static readonly FeedDetail Nothing = new();

    /// <summary>Reads a detail; null when it makes no sense.</summary>
    public static DecisionDetail? Read(string detail)
    {
        try
        {
            return JsonSerializer.Deserialize(detail, AuditJson.Default.DecisionDetail);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What is told of it beside the event's own fields; null when nothing.</summary>
    public FeedDetail? ToFeed()
    {
        var told = new FeedDetail(To, FromMicros, UntilMicros, Users, Quarantine, Hearts, Rows, Moved, Already, Left, Found);
        return told == Nothing ? null : told;
    }
}

/// <summary>The detail of the decision that a target was made anew.</summary>
internal sealed record RepairDetail(string Action, string Reason, string? TargetId, string[] Found);

/// <summary>The detail of the decision that a user is forgotten: <c>{"action":"erased","receipt":"…","rows":3}</c>. Without rows it is not over yet.</summary>
internal sealed record Erasure(string? Action, string? Receipt, long? Rows)
{
    private static readonly string[] Actions = ["erased", "erasing"];

    /// <summary>Reads a detail; null when it is another's.</summary>
    public static Erasure? Read(string detail)
    {
        // Most decisions are others', and each of the log is looked at.
        if (!detail.Contains("\"eras", StringComparison.Ordinal)) return null;
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

/// <summary>The detail of the decision that an opening balance is another: <c>{"action":"opening_set","opening":30,"opening_before":0,…}</c>.</summary>
internal sealed record OpeningSet(string? Action, long Opening, long OpeningBefore)
{
    /// <summary>What was decided.</summary>
    public const string Name = "opening_set";

    /// <summary>Reads a detail; null when it is another's.</summary>
    public static OpeningSet? Read(string detail) =>
        JsonSerializer.Deserialize(detail, AuditJson.Default.OpeningSet) is { Action: Name } set ? set : null;
}

/// <summary>What a comparison of everything is asked for.</summary>
internal sealed record VerifyArguments(bool Repair, VerifyHead? SinceSeal);

/// <summary>A seal, as it is written.</summary>
internal sealed record VerifyHead(long Number, string Hash);

/// <summary>How far a comparison of everything has come, and what it has found.</summary>
internal sealed class VerifyProgress
{
    public bool Agrees { get; set; } = true;

    public long Blocks { get; set; }

    public long Events { get; set; }

    public long Targets { get; set; }

    public long Repaired { get; set; }

    public List<VerifyFinding> Findings { get; set; } = [];

    public VerifyHead? Head { get; set; }

    /// <summary>Keeps the first hundred.</summary>
    public void Add(IEnumerable<Finding> findings) => Findings.AddRange(
        findings.Take(TargetFold.FindingLimit - Findings.Count).Select(static finding => new VerifyFinding(finding.Kind, finding.TargetId, finding.Block, finding.Text)));
}

/// <summary>Something wrong, as it is told.</summary>
internal sealed record VerifyFinding(string Kind, string? TargetId, long? Block, string Text);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DecisionDetail))]
[JsonSerializable(typeof(RepairDetail))]
[JsonSerializable(typeof(Erasure))]
[JsonSerializable(typeof(OpeningSet))]
[JsonSerializable(typeof(VerifyArguments))]
[JsonSerializable(typeof(VerifyProgress))]
internal sealed partial class AuditJson : JsonSerializerContext;
