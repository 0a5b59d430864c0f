using System.Text;
using System.Text.Json;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Hearts;

/// <summary>Who loves what: the body of <c>POST /hearts</c>.</summary>
internal readonly record struct HeartRequest(string TargetId, string UserId);

/// <summary>Which targets to read: the body of <c>POST /hearts/query</c>.</summary>
internal readonly record struct HeartBatchRequest(string[] TargetIds, string? UserId);

/// <summary>Strict parsers of bodies: every field known, given once, of its type and within its bounds, and nothing besides.</summary>
internal static class HeartBody
{
    public const int BatchLimit = 100;
    private const int EchoedNameLimit = 64;
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 8 };

    public static Parsed<HeartRequest> ParseHeart(ReadOnlySpan<byte> json)
    {
        var fields = default(Fields);
        var reader = new Utf8JsonReader(json, Options);
        return Walk(ref reader, ref fields, batch: false) is { } broken ? new(default, broken)
            : fields.Finish(needsTarget: true, needsUser: true) is { } rejection ? new(default, rejection)
            : new(new HeartRequest(fields.TargetId!, fields.UserId!), null);
    }

    public static Parsed<HeartBatchRequest> ParseBatch(ReadOnlySpan<byte> json)
    {
        var fields = default(Fields);
        var reader = new Utf8JsonReader(json, Options);
        return Walk(ref reader, ref fields, batch: true) is { } broken ? new(default, broken)
            : fields.Finish(needsTarget: true, needsUser: false) is { } rejection ? new(default, rejection)
            : new(new HeartBatchRequest([.. fields.TargetIds!], fields.UserId), null);
    }

    private static Rejection? Walk(ref Utf8JsonReader reader, ref Fields fields, bool batch)
    {
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                reader.Skip();
                reader.Read();
                return new Rejection(Problem.InvalidJson, "The body must be one JSON object.").Add("body", "must be a JSON object");
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals(batch ? "target_ids"u8 : "target_id"u8)) fields.ReadTarget(ref reader, batch);
                else if (reader.ValueTextEquals("user_id"u8)) fields.ReadUser(ref reader);
                else fields.SkipUnknown(ref reader);
            }

            reader.Read();
            return null;
        }
        catch (JsonException exception)
        {
            return new Rejection(Problem.InvalidJson,
                    $"The body is not valid JSON: line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1} of it.")
                .Add("body", "must be valid JSON (RFC 8259), one object and nothing after it");
        }
        catch (InvalidOperationException)
        {
            return new Rejection(Problem.InvalidJson, "A field name of the body is not valid Unicode.").Add("body", "must be valid Unicode");
        }
    }

    private struct Fields
    {
        public string? TargetId;
        public string? UserId;
        public List<string>? TargetIds;
        private Rejection? _rejection;
        private bool _sawTarget;
        private bool _sawUser;

        public void ReadTarget(ref Utf8JsonReader reader, bool batch)
        {
            if (_sawTarget) Reject(batch ? "target_ids" : "target_id", "must be given once");
            _sawTarget = true;
            reader.Read();
            if (batch)
            {
                ReadTargets(ref reader);
                return;
            }

            if (Identifier.Read(ref reader, Identifier.TargetByteLimit, out TargetId) is { } wrong) Reject("target_id", wrong);
        }

        public void ReadUser(ref Utf8JsonReader reader)
        {
            if (_sawUser) Reject("user_id", "must be given once");
            _sawUser = true;
            reader.Read();
            if (Identifier.Read(ref reader, Identifier.UserByteLimit, out UserId) is { } wrong) Reject("user_id", wrong);
        }

        public void SkipUnknown(ref Utf8JsonReader reader)
        {
            // Not GetString: it throws on names that are not valid Unicode, and nothing is wrong with the JSON then.
            var name = Encoding.UTF8.GetString(reader.ValueSpan[..Math.Min(reader.ValueSpan.Length, EchoedNameLimit)]);
            Reject(name, "is not a field of this request");
            reader.Skip();
        }

        public Rejection? Finish(bool needsTarget, bool needsUser)
        {
            if (needsTarget && !_sawTarget) Reject(needsUser ? "target_id" : "target_ids", "is missing");
            if (needsUser && !_sawUser) Reject("user_id", "is missing");
            return _rejection;
        }

        private void ReadTargets(ref Utf8JsonReader reader)
        {
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                reader.Skip();
                Reject("target_ids", "must be an array of strings");
                return;
            }

            TargetIds = new List<string>(16);
            var index = 0;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (Identifier.Read(ref reader, Identifier.TargetByteLimit, out var target) is { } wrong) Reject($"target_ids[{index}]", wrong);
                else if (index < BatchLimit) TargetIds.Add(target!);
                index++;
            }

            if (index is 0 or > BatchLimit) Reject("target_ids", "must hold 1 to 100 identifiers");
        }

        private void Reject(string field, string message) =>
            (_rejection ??= new Rejection(Problem.InvalidFields, "See errors for each field.")).Add(field, message);
    }
}
