using System.Text;
using System.Text.Json;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Hearts;

/// <summary>Who loves what: the body of <c>POST /hearts</c>. Without a user it is the reader who calls.</summary>
internal readonly record struct HeartRequest(string TargetId, string? UserId, string? CampaignId);

/// <summary>Which targets to read: the body of <c>POST /hearts/query</c>.</summary>
internal readonly record struct HeartBatchRequest(string[] TargetIds, string? UserId);

/// <summary>What to take of a user's quota: the body of <c>POST /quota/acquire</c>. Without a user it is that of the token which comes with the call.</summary>
internal readonly record struct QuotaRequest(string? UserId, long Tokens, string? CampaignId);

/// <summary>Which reader becomes which account: the body of <c>POST /identity/merge</c>. What is not there came with the call in another way.</summary>
internal readonly record struct MergeRequest(string? UserId, string? ReaderToken, string? ReaderOrigin);

/// <summary>Fields a body takes.</summary>
[Flags]
internal enum BodyFields
{
    None = 0,
    TargetId = 1,
    TargetIds = 2,
    UserId = 4,
    CampaignId = 8,
    Tokens = 16,
    ReaderToken = 32,
    ReaderOrigin = 64,
}

/// <summary>Strict parsers of bodies: every field known, given once, of its type and within its bounds, and nothing besides.</summary>
internal static class HeartBody
{
    public const int BatchLimit = 100;
    public const long MaxTokens = 1L << 53;
    private const int EchoedNameLimit = 64;
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 8 };

    public static Parsed<HeartRequest> ParseHeart(ReadOnlySpan<byte> json)
    {
        var fields = new Fields(BodyFields.TargetId, BodyFields.UserId | BodyFields.CampaignId);
        return Parse(json, ref fields) is { } rejection
            ? new(default, rejection)
            : new(new HeartRequest(fields.TargetId!, fields.UserId, fields.CampaignId), null);
    }

    public static Parsed<HeartBatchRequest> ParseBatch(ReadOnlySpan<byte> json)
    {
        var fields = new Fields(BodyFields.TargetIds, BodyFields.UserId);
        return Parse(json, ref fields) is { } rejection
            ? new(default, rejection)
            : new(new HeartBatchRequest([.. fields.TargetIds!], fields.UserId), null);
    }

    public static Parsed<QuotaRequest> ParseQuota(ReadOnlySpan<byte> json)
    {
        var fields = new Fields(BodyFields.Tokens, BodyFields.UserId | BodyFields.CampaignId);
        return Parse(json, ref fields) is { } rejection
            ? new(default, rejection)
            : new(new QuotaRequest(fields.UserId, fields.Tokens, fields.CampaignId), null);
    }

    public static Parsed<MergeRequest> ParseMerge(ReadOnlySpan<byte> json)
    {
        var fields = new Fields(BodyFields.None, BodyFields.UserId | BodyFields.ReaderToken | BodyFields.ReaderOrigin);
        return Parse(json, ref fields) is { } rejection
            ? new(default, rejection)
            : new(new MergeRequest(fields.UserId, fields.ReaderToken, fields.ReaderOrigin), null);
    }

    private static Rejection? Parse(ReadOnlySpan<byte> json, ref Fields fields)
    {
        var reader = new Utf8JsonReader(json, Options);
        return Walk(ref reader, ref fields) ?? fields.Finish();
    }

    private static Rejection? Walk(ref Utf8JsonReader reader, ref Fields fields)
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

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName) fields.Read(ref reader);

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

    private struct Fields(BodyFields required, BodyFields optional)
    {
        public string? TargetId;
        public string? UserId;
        public string? CampaignId;
        public string? ReaderToken;
        public string? ReaderOrigin;
        public List<string>? TargetIds;
        public long Tokens;
        private Rejection? _rejection;
        private BodyFields _seen;

        /// <summary>Reads the field whose name the reader stands on.</summary>
        public void Read(ref Utf8JsonReader reader)
        {
            var field = Find(ref reader) & (required | optional);
            if (field == BodyFields.None)
            {
                SkipUnknown(ref reader);
                return;
            }

            if ((_seen & field) != BodyFields.None) Reject(NameOf(field), "must be given once");
            _seen |= field;
            reader.Read();
            var wrong = field switch
            {
                BodyFields.TargetId => Identifier.Read(ref reader, Identifier.TargetByteLimit, out TargetId),
                BodyFields.UserId => Identifier.Read(ref reader, Identifier.UserByteLimit, out UserId),
                BodyFields.CampaignId => Identifier.Read(ref reader, Identifier.CampaignByteLimit, out CampaignId),
                BodyFields.Tokens => ReadTokens(ref reader),
                BodyFields.ReaderToken => Identifier.Read(ref reader, Identifier.UserByteLimit, out ReaderToken),
                BodyFields.ReaderOrigin => Identifier.Read(ref reader, Identifier.TargetByteLimit, out ReaderOrigin),
                _ => ReadTargets(ref reader),
            };
            if (wrong is not null) Reject(NameOf(field), wrong);
        }

        public Rejection? Finish()
        {
            for (var field = BodyFields.TargetId; field <= BodyFields.ReaderOrigin; field = (BodyFields)((int)field << 1))
            {
                if ((required & ~_seen & field) != BodyFields.None) Reject(NameOf(field), "is missing");
            }

            return _rejection;
        }

        private static BodyFields Find(ref Utf8JsonReader reader) =>
            reader.ValueTextEquals("target_id"u8) ? BodyFields.TargetId
            : reader.ValueTextEquals("user_id"u8) ? BodyFields.UserId
            : reader.ValueTextEquals("campaign_id"u8) ? BodyFields.CampaignId
            : reader.ValueTextEquals("target_ids"u8) ? BodyFields.TargetIds
            : reader.ValueTextEquals("tokens"u8) ? BodyFields.Tokens
            : reader.ValueTextEquals("reader_token"u8) ? BodyFields.ReaderToken
            : reader.ValueTextEquals("reader_origin"u8) ? BodyFields.ReaderOrigin
            : BodyFields.None;

        private static string NameOf(BodyFields field) => field switch
        {
            BodyFields.TargetId => "target_id",
            BodyFields.UserId => "user_id",
            BodyFields.CampaignId => "campaign_id",
            BodyFields.TargetIds => "target_ids",
            BodyFields.ReaderToken => "reader_token",
            BodyFields.ReaderOrigin => "reader_origin",
            _ => "tokens",
        };

        private void SkipUnknown(ref Utf8JsonReader reader)
        {
            // Not GetString: it throws on names that are not valid Unicode, and nothing is wrong with the JSON then.
            var name = Encoding.UTF8.GetString(reader.ValueSpan[..Math.Min(reader.ValueSpan.Length, EchoedNameLimit)]);
            Reject(name, "is not a field of this request");
            reader.Skip();
        }

        private string? ReadTokens(ref Utf8JsonReader reader)
        {
            if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out Tokens) && Tokens is >= 1 and <= MaxTokens) return null;
            reader.Skip();
            return "must be a whole number from 1 to 2^53";
        }

        private string? ReadTargets(ref Utf8JsonReader reader)
        {
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                reader.Skip();
                return "must be an array of strings";
            }

            TargetIds = new List<string>(16);
            var index = 0;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (Identifier.Read(ref reader, Identifier.TargetByteLimit, out var target) is { } wrong) Reject($"target_ids[{index}]", wrong);
                else if (index < BatchLimit) TargetIds.Add(target!);
                index++;
            }

            return index is 0 or > BatchLimit ? "must hold 1 to 100 identifiers" : null;
        }

        private void Reject(string field, string message) =>
            (_rejection ??= new Rejection(Problem.InvalidFields, "See errors for each field.")).Add(field, message);
    }
}
