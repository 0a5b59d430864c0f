using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using HeartGrains.Tests.Cluster;

namespace HeartGrains.Tests.BadInput;

/// <summary>
/// The rows of <c>cases.json</c>, by kind: <c>hearts</c> and <c>admin</c> are calls over HTTP, <c>jwt</c> tokens, which are sent over both, <c>grpc</c> messages and frames.
/// </summary>
/// <remarks>
/// A body, message, header or claims that is JSON is sent byte for byte as it is written; a string stands for its text, a character a byte. In all of them <c>&lt;257&gt;</c> stands for so many letters x,
/// <c>&lt;100 ,"a"&gt;</c> for a text so many times; in claims <c>"@300"</c> is the time in so many seconds, as a number.
/// </remarks>
internal static partial class BadInputTable
{
    /// <summary>Kind and row of each case.</summary>
    public static IReadOnlyList<(string Kind, string Row)> All { get; } = Read();

    /// <summary>A part of a row as it is sent; null where the row has none.</summary>
    public static string? TextOf(JsonElement row, string name) => !row.TryGetProperty(name, out var part) ? null : Expand(part.ValueKind == JsonValueKind.String ? part.GetString()! : part.GetRawText());

    /// <summary>Times in claims.</summary>
    public static string AtTime(string claims, DateTimeOffset now) =>
        Times().Replace(claims, match => (now.ToUnixTimeSeconds() + decimal.Parse(match.Groups["plus"].Value, CultureInfo.InvariantCulture)).ToString(CultureInfo.InvariantCulture));

    private static string Expand(string text) => Repeats().Replace(text, static match =>
        string.Concat(Enumerable.Repeat(match.Groups["text"] is { Success: true } given ? given.Value : "x", int.Parse(match.Groups["times"].Value, CultureInfo.InvariantCulture))));

    private static List<(string, string)> Read()
    {
        using var cases = JsonDocument.Parse(File.ReadAllText(Path.Combine(LocalCluster.Root, "Tests", "BadInput", "cases.json")));
        return [.. from kind in cases.RootElement.EnumerateObject() from row in kind.Value.EnumerateArray() select (kind.Name, row.GetRawText())];
    }

    [GeneratedRegex("<(?<times>\\d+)( (?<text>[^>]+))?>", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Repeats();

    [GeneratedRegex("\"@(?<plus>-?[\\d.]+)\"", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Times();
}
