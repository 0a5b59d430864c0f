using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using HeartGrains.Audit;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Audit;

/// <summary>What is to be compared: the body of <c>POST /admin/verify</c>.</summary>
internal sealed record VerifyBody(string? TargetId = null, bool? Repair = null, SealView? SinceSeal = null)
{
    private const int HashDigits = 64;

    public static Parsed<VerifyBody> Parse(ReadOnlySpan<byte> json)
    {
        VerifyBody? body;
        try
        {
            body = JsonSerializer.Deserialize(json, VerifyJson.Default.VerifyBody);
        }
        catch (JsonException exception)
        {
            return new(null!, new Rejection(Problem.InvalidJson, "The body is not the JSON object that is wanted.").Add(
                exception.Path is { Length: > 2 } path ? path[2..] : "body", "must be one JSON object with the fields target_id, repair and since_seal, each given once at most"));
        }

        var wrong = new Rejection(Problem.InvalidFields, "See errors for each field.");
        if (body is null) return new(null!, wrong.Add("body", "must be a JSON object"));
        if (body.TargetId is { } name && Identifier.Check(Encoding.UTF8.GetBytes(name), Identifier.TargetByteLimit, out _) is { } text) wrong.Add("target_id", text);
        if (body.SinceSeal is { } kept)
        {
            if (kept.Number < 1) wrong.Add("since_seal.number", "must be the number of a block, from 1 on");
            if (kept.Hash?.Length != HashDigits || !kept.Hash.All(char.IsAsciiHexDigit)) wrong.Add("since_seal.hash", "must be 64 hexadecimal digits");
            if (body.TargetId is not null) wrong.Add("target_id", "does not go together with since_seal");
        }

        return wrong.Errors.Count > 0 ? new(null!, wrong) : new(body, null);
    }

    /// <summary>The arguments of the operation that compares everything.</summary>
    public string ToArguments() => JsonSerializer.Serialize(new VerifyArguments(Repair ?? false, SinceSeal), VerifyJson.Default.VerifyArguments);
}

/// <summary>What the operation is asked for.</summary>
internal sealed record VerifyArguments(bool Repair, SealView? SinceSeal);

/// <summary>A seal: as it is told, to be kept elsewhere, and as it comes back.</summary>
internal sealed record SealView(long Number = 0, string? Hash = null)
{
    public static SealView? Of(SealHead? head) => head is null ? null : new SealView(head.Number, Convert.ToHexStringLower(head.Hash));
}

/// <summary>Something wrong, as it is told.</summary>
internal sealed record FindingView(string Kind, string? TargetId, long? Block, string Text)
{
    public static FindingView Of(Finding finding) => new(finding.Kind, finding.TargetId, finding.Block, finding.Text);
}

/// <summary>A target compared, as it is told.</summary>
internal sealed record VerifiedTargetView(string TargetId, string State, bool? Agrees, long? Version, long? Count, FindingView[]? Findings, bool? Repaired, FindingView[]? Left, SealView? Head);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(VerifyBody))]
[JsonSerializable(typeof(VerifyArguments))]
[JsonSerializable(typeof(VerifiedTargetView))]
internal sealed partial class VerifyJson : JsonSerializerContext;
