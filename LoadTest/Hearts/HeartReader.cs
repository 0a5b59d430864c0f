using System.Text.Json;
using System.Text.Json.Serialization;
using HeartGrains.LoadTest.Http;

namespace HeartGrains.LoadTest.Hearts;

/// <summary>A target as the API shows it.</summary>
internal sealed record ShownHeart(string TargetId, long Count, long Version, bool? Hearted);

internal sealed record ShownHearts(IReadOnlyList<ShownHeart?>? Hearts);

/// <summary>What a read gave: the targets in the order asked, or why there are none.</summary>
internal readonly record struct HeartReading(IReadOnlyList<ShownHeart>? Hearts, string? Problem);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ShownHearts))]
internal sealed partial class ShownHeartsJson : JsonSerializerContext;

/// <summary>Reads hearts through <c>POST /api/v1/hearts/query</c>, patiently: reads change nothing, so they may be repeated.</summary>
internal sealed class HeartReader(HttpConnection connection, HeartNames names, TimeSpan patience)
{
    /// <summary>The most targets one query may name.</summary>
    public const int TargetsPerQuery = 100;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    public async Task<HeartReading> ReadAsync(HeartGroup group, CancellationToken cancellationToken)
    {
        var ids = string.Join("\",\"", group.Hearts.Select(heart => names.Target(heart.Target)));
        var body = $"{{\"target_ids\":[\"{ids}\"]{(group.User is { } id ? $",\"user_id\":\"{names.User(id)}\"" : "")}}}";
        var request = HttpPost.Bytes(connection.Url, "/api/v1/hearts/query", body);
        for (var started = TimeProvider.System.GetTimestamp(); ;)
        {
            var answer = await connection.ExchangeAsync(request);
            if (answer is { Exchange: HttpExchange.Answered, Status: 200 }) return Parse(answer.Body.Span, group);
            if (TimeProvider.System.GetElapsedTime(started) >= patience)
                return new(null, answer.Exchange == HttpExchange.Answered ? $"the API answered {answer.Status}" : $"the API gave no answer ({answer.Exchange})");
            await Task.Delay(Pause, TimeProvider.System, cancellationToken);
        }
    }

    private HeartReading Parse(ReadOnlySpan<byte> body, HeartGroup group)
    {
        try
        {
            var shown = JsonSerializer.Deserialize(body, ShownHeartsJson.Default.ShownHearts)?.Hearts;
            if (shown?.Count != group.Hearts.Length)
                return new(null, $"{group.Hearts.Length} targets were asked for and {shown?.Count ?? 0} answered");
            for (var i = 0; i < shown.Count; i++)
                if (shown[i]?.TargetId != names.Target(group.Hearts[i].Target) || (group.User is not null && shown[i]!.Hearted is null))
                    return new(null, $"the answer's place {i} holds {shown[i]?.ToString() ?? "nothing"}, asked was {names.Target(group.Hearts[i].Target)}");
            return new(shown!, null);
        }
        catch (JsonException e)
        {
            return new(null, $"the answer is not the JSON it should be: {e.Message}");
        }
    }
}
