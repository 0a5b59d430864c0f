using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using HeartGrains.Audit;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Audit;

/// <summary>What is to be compared: the body of <c>POST /admin/verify</c>, read.</summary>
internal sealed record VerifyOrder(string? TargetId, bool Repair, VerifyPlace Place, SealHead? Kept)
{
    private const int CursorBytes = 1 + 8 + 16;
    private const byte Format = 1;

    public static Parsed<VerifyOrder> Parse(ReadOnlySpan<byte> json)
    {
        VerifyBody? body;
        try
        {
            body = JsonSerializer.Deserialize(json, VerifyJson.Default.VerifyBody);
        }
        catch (JsonException exception)
        {
            return new(null!, new Rejection(Problem.InvalidJson, "The body is not the JSON object that is wanted.").Add(
                exception.Path is { Length: > 2 } path ? path[2..] : "body", "must be one JSON object with the fields target_id, repair, since_seal and after, each given once at most"));
        }

        var wrong = new Rejection(Problem.InvalidFields, "See errors for each field.");
        if (body is null) return new(null!, wrong.Add("body", "must be a JSON object"));
        if (body.TargetId is { } name && Identifier.Check(Encoding.UTF8.GetBytes(name), Identifier.TargetByteLimit, out _) is { } text) wrong.Add("target_id", text);
        var place = new VerifyPlace(0, Guid.Empty);
        if (body.After is not null && !TryDecode(body.After, out place)) wrong.Add("after", "must be a next of an earlier answer");
        var kept = Read(body.SinceSeal, wrong);
        if (body.TargetId is not null && (kept is not null || body.After is not null)) wrong.Add("target_id", "does not go together with since_seal or after");
        if (kept is not null && body.After is not null) wrong.Add("since_seal", "does not go together with after");
        return wrong.Errors.Count > 0 ? new(null!, wrong) : new(new VerifyOrder(body.TargetId, body.Repair ?? false, place, kept), null);
    }

    /// <summary>A place between two pages, as clients carry it.</summary>
    public static string Encode(in VerifyPlace place)
    {
        Span<byte> bytes = stackalloc byte[CursorBytes];
        bytes[0] = Format;
        BinaryPrimitives.WriteInt64BigEndian(bytes[1..], place.Block ?? -1);
        place.Target.TryWriteBytes(bytes[9..], bigEndian: true, out _);
        return Base64Url.EncodeToString(bytes);
    }

    private static bool TryDecode(string cursor, out VerifyPlace place)
    {
        place = default;
        Span<byte> bytes = stackalloc byte[CursorBytes];
        if (cursor.Length > 2 * CursorBytes || !Base64Url.IsValid(cursor) || !Base64Url.TryDecodeFromChars(cursor, bytes, out var written) || written != CursorBytes || bytes[0] != Format)
            return false;
        var block = BinaryPrimitives.ReadInt64BigEndian(bytes[1..]);
        place = new VerifyPlace(block < 0 ? null : block, new Guid(bytes[9..], bigEndian: true));
        return Encode(place) == cursor;
    }

    private static SealHead? Read(SealBody? body, Rejection wrong)
    {
        if (body is null) return null;
        var hash = new byte[EventChain.HashBytes];
        if (body.Number is not > 0) wrong.Add("since_seal.number", "must be the number of a block, from 1 on");
        if (body.Hash?.Length == 2 * hash.Length && Convert.FromHexString(body.Hash, hash, out _, out _) == System.Buffers.OperationStatus.Done) return new SealHead(body.Number ?? 0, hash);
        wrong.Add("since_seal.hash", "must be 64 hexadecimal digits");
        return null;
    }
}

/// <summary>The body as it is written.</summary>
internal sealed record VerifyBody(string? TargetId = null, bool? Repair = null, SealBody? SinceSeal = null, string? After = null);

/// <summary>A seal that was kept elsewhere.</summary>
internal sealed record SealBody(long? Number = null, string? Hash = null);

/// <summary>A seal as it is told, to be kept elsewhere.</summary>
internal sealed record SealView(long Number, string Hash)
{
    public static SealView? Of(SealHead? head) => head is null ? null : new SealView(head.Number, Convert.ToHexStringLower(head.Hash));
}

/// <summary>Something wrong, as it is told.</summary>
internal sealed record FindingView(string Kind, string? TargetId, long? Block, string Text)
{
    public static FindingView Of(Finding finding) => new(finding.Kind, finding.TargetId, finding.Block, finding.Text);
}

/// <summary>A target compared, as it is told.</summary>
internal sealed record TargetView(string TargetId, string State, bool? Agrees, long? Version, long? Count, FindingView[]? Findings, bool? Repaired, FindingView[]? Left, SealView? Head);

/// <summary>A page of everything compared, as it is told.</summary>
internal sealed record VerifyView(
    string State, bool Agrees, long Blocks, long Events, long Targets, long Repaired, FindingView[] Findings, string? Next, SealView? Head);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(VerifyBody))]
[JsonSerializable(typeof(TargetView))]
[JsonSerializable(typeof(VerifyView))]
internal sealed partial class VerifyJson : JsonSerializerContext;
