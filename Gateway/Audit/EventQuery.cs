using HeartGrains.Audit;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Audit;

/// <summary>The query string of <c>GET /events</c>, as strictly read as all others.</summary>
internal sealed record EventQuery(EventPosition After, int Limit, string? TargetId, string? UserId, int WaitSeconds)
{
    public const int MaxLimit = 1000;
    public const int MaxWaitSeconds = 20;
    private const int DefaultLimit = 100;

    public static Parsed<EventQuery> Parse(string raw)
    {
        var query = new EventQuery(EventPosition.Start, DefaultLimit, null, null, 0);
        var seen = new HashSet<string>();
        Rejection? rejection = null;
        var isCursorWrong = false;
        Span<byte> value = stackalloc byte[Identifier.TargetByteLimit];
        foreach (var pair in raw.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=');
            var name = equals < 0 ? pair : pair[..equals];
            if (name is not ("after" or "limit" or "target_id" or "user_id" or "wait"))
            {
                Reject(name[..Math.Min(name.Length, 64)], "is not a parameter of this request");
                continue;
            }

            if (!seen.Add(name)) Reject(name, "must be given once");
            var wrong = HeartQuery.Decode(equals < 0 ? default : pair.AsSpan(equals + 1), value, out var length);
            if (length < 0) wrong = "is too long";
            if (wrong is null) query = query.With(name, value[..length], ref isCursorWrong, out wrong);
            if (wrong is not null) Reject(name, wrong);
        }

        if (rejection is null && isCursorWrong)
            rejection = new Rejection(Problem.InvalidCursor, "Go on with a next of an earlier answer, or without after from the beginning.").Add("after", "must be a next of an earlier answer");
        return new(query, rejection);

        void Reject(string field, string message) => (rejection ??= new Rejection(Problem.InvalidQuery, "See errors for each parameter.")).Add(field, message);
    }

    private EventQuery With(string name, ReadOnlySpan<byte> value, ref bool isCursorWrong, out string? wrong)
    {
        wrong = null;
        switch (name)
        {
            case "after":
                isCursorWrong |= !EventCursor.TryDecode(System.Text.Encoding.Latin1.GetString(value), out var after);
                return this with { After = after };
            case "limit":
                if (!TryReadNumber(value, 1, MaxLimit, out var limit)) wrong = $"must be a number from 1 to {MaxLimit}";
                return this with { Limit = limit };
            case "wait":
                if (!TryReadNumber(value, 0, MaxWaitSeconds, out var seconds)) wrong = $"must be a number of seconds from 0 to {MaxWaitSeconds}";
                return this with { WaitSeconds = seconds };
            case "target_id":
                wrong = Identifier.Check(value, Identifier.TargetByteLimit, out var targetId);
                return this with { TargetId = targetId };
            default:
                wrong = Identifier.Check(value, Identifier.UserByteLimit, out var userId);
                return this with { UserId = userId };
        }
    }

    private static bool TryReadNumber(ReadOnlySpan<byte> digits, int least, int most, out int number) =>
        int.TryParse(digits, System.Globalization.NumberStyles.None, null, out number) && number >= least && number <= most && (digits[0] != '0' || digits.Length == 1);
}
