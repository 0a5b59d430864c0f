using System.CommandLine.Parsing;
using System.Globalization;

namespace HeartGrains.LoadTest;

/// <summary>Reads the values of options; what is wrong is said with an example of what is right.</summary>
internal static class OptionValues
{
    /// <summary>Gateways, separated by commas, the option repeated or both.</summary>
    public static Uri[] Urls(ArgumentResult result) => [.. Parts(result).Select(text => Url(text, result)).OfType<Uri>()];

    /// <summary>Whole numbers from 1, separated by commas, the option repeated or both.</summary>
    public static int[] ProcessIds(ArgumentResult result) => [.. Parts(result).Select(text =>
    {
        if (int.TryParse(text, CultureInfo.InvariantCulture, out var id) && Directory.Exists($"/proc/{id}")) return id;
        result.AddError($"'{text}' is not the id of a process that runs here; write e.g. --pids {Environment.ProcessId} or --pids 12,34.");
        return 0;
    })];

    /// <summary>A time as <c>500ms</c>, <c>10s</c>, <c>2m</c>, <c>1h</c> or a bare number of seconds.</summary>
    public static TimeSpan Duration(ArgumentResult result)
    {
        var text = result.Tokens[^1].Value;
        var unit = text.TrimStart([.. "0123456789."]);
        var seconds = unit switch { "ms" => 0.001, "s" or "" => 1, "m" => 60, "h" => 3600, _ => 0 };
        if (seconds > 0 && double.TryParse(text.AsSpan(0, text.Length - unit.Length), CultureInfo.InvariantCulture, out var number))
            return TimeSpan.FromSeconds(Math.Min(number * seconds, TimeSpan.FromDays(365).TotalSeconds));
        result.AddError($"'{text}' is not a time; write e.g. 500ms, 10s, 2m or 1h.");
        return default;
    }

    private static IEnumerable<string> Parts(ArgumentResult result) => result.Tokens
        .SelectMany(token => token.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private static Uri? Url(string text, ArgumentResult result)
    {
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme == Uri.UriSchemeHttp && url.Query.Length == 0) return url;
        result.AddError($"'{text}' is not a gateway's address; write e.g. --url http://127.0.0.1:8080 (plain HTTP, several separated by commas).");
        return null;
    }
}
