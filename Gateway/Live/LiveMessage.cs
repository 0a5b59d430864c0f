using System.Text.Json;
using HeartGrains.Gateway.Hearts;

namespace HeartGrains.Gateway.Live;

/// <summary>What a client wants: <c>{"subscribe":[…],"since":{…},"unsubscribe":[…]}</c>, each of them optional.</summary>
internal sealed class LiveMessage
{
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 3 };

    private LiveMessage()
    {
    }

    /// <summary>Targets to watch.</summary>
    public List<string> Subscribe { get; } = [];

    /// <summary>Targets to watch no more.</summary>
    public List<string> Unsubscribe { get; } = [];

    /// <summary>Of some targets the version the client knows.</summary>
    public Dictionary<string, long> Since { get; } = [];

    /// <summary>Reads a message; without one, says what is wrong with it.</summary>
    public static (LiveMessage? Message, string Wrong) Parse(ReadOnlySpan<byte> utf8)
    {
        var reader = new Utf8JsonReader(utf8, Options);
        var message = new LiveMessage();
        try
        {
            var wrong = message.Read(ref reader);
            return wrong is null ? (message, "") : (null, wrong);
        }
        catch (JsonException)
        {
            return (null, "The message is not one JSON object.");
        }
        catch (InvalidOperationException)
        {
            return (null, "A name is not valid Unicode.");
        }
    }

    private string? Read(ref Utf8JsonReader reader)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return "The message is not one JSON object.";
        var seen = 0;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.ValueTextEquals("subscribe"u8) ? 1 : reader.ValueTextEquals("unsubscribe"u8) ? 2 : reader.ValueTextEquals("since"u8) ? 4 : 0;
            if (field == 0) return "The fields are subscribe, unsubscribe and since.";
            if ((seen & field) != 0) return "A field is given twice.";
            seen |= field;
            reader.Read();
            var wrong = field switch
            {
                1 => ReadTargets(ref reader, "subscribe", Subscribe),
                2 => ReadTargets(ref reader, "unsubscribe", Unsubscribe),
                _ => ReadSince(ref reader),
            };
            if (wrong is not null) return wrong;
        }

        reader.Read(); // Throws when anything follows.
        return null;
    }

    private static string? ReadTargets(ref Utf8JsonReader reader, string field, List<string> targets)
    {
        if (reader.TokenType != JsonTokenType.StartArray) return $"{field} must be an array of target ids.";
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (Identifier.Read(ref reader, Identifier.TargetByteLimit, out var target) is { } wrong) return $"{field}: a target id {wrong}.";
            targets.Add(target!);
        }

        return null;
    }

    private string? ReadSince(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject) return "since must be an object of target ids and versions.";
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var target = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var version) || version < 0) return "since: a version must be a whole number from 0.";
            Since[target] = version;
        }

        return null;
    }
}
