using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using System.Numerics;

namespace HeartGrains.LoadTest;

/// <summary>Reads the values of options; what is wrong is said with an example of what is right.</summary>
internal static class OptionValues
{
    /// <summary>The option, held within bounds.</summary>
    public static Option<T> Within<T>(Option<T> option, T least, T most) where T : struct, INumber<T>
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens is not [.., var last]) return;
            if (!T.TryParse(last.Value, CultureInfo.InvariantCulture, out var value) || value < least || value > most)
                result.AddError($"{option.Name} is a number from {least:N0} to {most:N0}, e.g. {option.Name} {option.GetDefaultValue()}.");
        });
        return option;
    }

    /// <summary>Gateways, separated by commas, the option repeated or both.</summary>
    public static Uri[] Urls(ArgumentResult result)
    {
        Uri[] urls = [.. Parts(result).Select(text => Url(text, result)).OfType<Uri>()];
        if (urls.Length == 0 && !result.Errors.Any()) result.AddError("--url names no gateway; write e.g. --url http://127.0.0.1:8080.");
        return urls;
    }

    /// <summary>Whole numbers from 1, separated by commas, the option repeated or both.</summary>
    public static int[] ProcessIds(ArgumentResult result) => [.. Parts(result).Select(text =>
    {
        if (int.TryParse(text, CultureInfo.InvariantCulture, out var id) && Directory.Exists($"/proc/{id}")) return id;
        result.AddError($"'{text}' is not the id of a process that runs here; write e.g. --pids {Environment.ProcessId} or --pids 12,34.");
        return 0;
    })];

    /// <summary>An IP address.</summary>
    public static IPAddress? Address(ArgumentResult result)
    {
        if (IPAddress.TryParse(result.Tokens[^1].Value, out var address)) return address;
        result.AddError($"'{result.Tokens[^1].Value}' is not an IP address; write e.g. --from 127.0.0.2.");
        return null;
    }

    /// <summary>A time as <c>500ms</c>, <c>10s</c>, <c>2m</c>, <c>1h</c> or a bare number of seconds, from 1 ms.</summary>
    public static TimeSpan Duration(ArgumentResult result, TimeSpan most)
    {
        var text = result.Tokens[^1].Value;
        var unit = text.TrimStart([.. "0123456789."]);
        var seconds = unit switch { "ms" => 0.001, "s" or "" => 1, "m" => 60, "h" => 3600, _ => double.NaN };
        if (double.TryParse(text.AsSpan(0, text.Length - unit.Length), CultureInfo.InvariantCulture, out var number)
            && number * seconds is var asked && asked >= 0.001 && asked <= most.TotalSeconds)
            return TimeSpan.FromSeconds(asked);
        result.AddError($"'{text}' is not a time from 1ms to {most.TotalHours:0}h; write e.g. 500ms, 10s, 2m or 1h.");
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
