using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Hearts;

/// <summary>Parameters a route takes.</summary>
[Flags]
internal enum QueryParameters
{
    None = 0,
    TargetId = 1,
    UserId = 2,
    Limit = 4,
    Cursor = 8,
    CampaignId = 16,
    AsOf = 32,
}

/// <summary>
/// A query string, strictly read: every parameter known and given once, percent-encoded UTF-8, <c>+</c> is a space as in forms.
/// </summary>
internal record struct HeartQuery(string? TargetId, string? UserId, int Limit, string? Cursor, string? CampaignId, DateTimeOffset? AsOf = null)
{
    public const int DefaultLimit = 20;
    public const int MaxLimit = 100;

    public static Parsed<HeartQuery> Parse(string raw, QueryParameters required, QueryParameters optional = QueryParameters.None)
    {
        var query = new HeartQuery(null, null, DefaultLimit, null, null);
        var seen = QueryParameters.None;
        Rejection? rejection = null;
        Span<byte> name = stackalloc byte[16];
        Span<byte> value = stackalloc byte[Identifier.TargetByteLimit];

        var rest = raw.StartsWith('?') ? raw.AsSpan(1) : raw;
        for (var isLast = rest.IsEmpty; !isLast;)
        {
            var end = rest.IndexOf('&');
            isLast = end < 0;
            var pair = isLast ? rest : rest[..end];
            rest = rest[(end + 1)..];

            var equals = pair.IndexOf('=');
            var rawName = equals < 0 ? pair : pair[..equals];
            var parameter = Decode(rawName, name, out var nameLength) is null ? Find(name[..nameLength]) : QueryParameters.None;
            if ((parameter & (required | optional)) == QueryParameters.None)
            {
                Reject(ref rejection, rawName.Length == 0 ? "query" : rawName[..Math.Min(rawName.Length, 64)].ToString(), "is not a parameter of this request");
                continue;
            }

            if ((seen & parameter) != QueryParameters.None) Reject(ref rejection, NameOf(parameter), "must be given once");
            seen |= parameter;
            var wrong = Decode(equals < 0 ? default : pair[(equals + 1)..], value, out var length);
            if (wrong is null) query.Set(parameter, value[..length], out wrong);
            else if (length < 0) wrong = TooLong(parameter);
            if (wrong is not null) Reject(ref rejection, NameOf(parameter), wrong);
        }

        for (var parameter = QueryParameters.TargetId; parameter <= QueryParameters.AsOf; parameter = (QueryParameters)((int)parameter << 1))
        {
            if ((required & ~seen & parameter) != QueryParameters.None) Reject(ref rejection, NameOf(parameter), "is missing");
        }

        return new(query, rejection);
    }

    private void Set(QueryParameters parameter, ReadOnlySpan<byte> value, out string? wrong)
    {
        wrong = null;
        switch (parameter)
        {
            case QueryParameters.TargetId:
                wrong = Identifier.Check(value, Identifier.TargetByteLimit, out var target);
                TargetId = target;
                break;
            case QueryParameters.UserId:
                wrong = Identifier.Check(value, Identifier.UserByteLimit, out var user);
                UserId = user;
                break;
            case QueryParameters.CampaignId:
                wrong = Identifier.Check(value, Identifier.CampaignByteLimit, out var campaign);
                CampaignId = campaign;
                break;
            case QueryParameters.AsOf:
                AsOf = Timestamp.Parse(value);
                if (AsOf is null) wrong = "must be a time as RFC 3339 has it, such as 2026-11-25T17:22:35.5Z; a + is written %2B";
                break;
            case QueryParameters.Cursor:
                Cursor = System.Text.Encoding.Latin1.GetString(value);
                break;
            default:
                if (!TryReadLimit(value, out var limit)) wrong = "must be a number from 1 to 100";
                Limit = limit;
                break;
        }
    }

    private static bool TryReadLimit(ReadOnlySpan<byte> digits, out int limit)
    {
        limit = 0;
        if (digits.Length is 0 or > 3 || digits[0] == '0') return false;
        foreach (var digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'9') return false;
            limit = (limit * 10) + (digit - '0');
        }

        return limit <= MaxLimit;
    }

    /// <summary>Decodes into <paramref name="bytes"/>. Returns what is wrong, or null; a length of -1 means that it did not fit.</summary>
    internal static string? Decode(ReadOnlySpan<char> encoded, Span<byte> bytes, out int length)
    {
        length = 0;
        for (var index = 0; index < encoded.Length; index++)
        {
            if (length == bytes.Length)
            {
                length = -1;
                return "is too long";
            }

            var character = encoded[index];
            if (character == '%')
            {
                if (index + 2 >= encoded.Length || !char.IsAsciiHexDigit(encoded[index + 1]) || !char.IsAsciiHexDigit(encoded[index + 2]))
                    return "has a % that two hexadecimal digits do not follow";
                bytes[length++] = (byte)((Hex(encoded[index + 1]) << 4) | Hex(encoded[index + 2]));
                index += 2;
            }
            else if (character is <= ' ' or >= '\x7F')
            {
                return "must be percent-encoded UTF-8";
            }
            else
            {
                bytes[length++] = character == '+' ? (byte)' ' : (byte)character;
            }
        }

        return null;
    }

    private static int Hex(char digit) => char.IsAsciiDigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;

    private static string TooLong(QueryParameters parameter) => parameter switch
    {
        QueryParameters.TargetId => Identifier.TooLong(Identifier.TargetByteLimit),
        QueryParameters.UserId => Identifier.TooLong(Identifier.UserByteLimit),
        QueryParameters.CampaignId => Identifier.TooLong(Identifier.CampaignByteLimit),
        _ => "is too long",
    };

    private static QueryParameters Find(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("target_id"u8) ? QueryParameters.TargetId
        : name.SequenceEqual("user_id"u8) ? QueryParameters.UserId
        : name.SequenceEqual("limit"u8) ? QueryParameters.Limit
        : name.SequenceEqual("campaign_id"u8) ? QueryParameters.CampaignId
        : name.SequenceEqual("as_of"u8) ? QueryParameters.AsOf
        : name.SequenceEqual("cursor"u8) ? QueryParameters.Cursor
        : QueryParameters.None;

    private static string NameOf(QueryParameters parameter) => parameter switch
    {
        QueryParameters.TargetId => "target_id",
        QueryParameters.UserId => "user_id",
        QueryParameters.Limit => "limit",
        QueryParameters.CampaignId => "campaign_id",
        QueryParameters.AsOf => "as_of",
        _ => "cursor",
    };

    private static void Reject(ref Rejection? rejection, string field, string message) =>
        (rejection ??= new Rejection(Problem.InvalidQuery, "See errors for each parameter.")).Add(field, message);
}
