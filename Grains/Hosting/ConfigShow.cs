using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeartGrains.Hosting;

/// <summary>The command <c>config show</c>: every setting of a role, its value in force and where it came from.</summary>
internal static class ConfigShow
{
    /// <summary>Writes one setting a line, or a JSON array.</summary>
    /// <exception cref="StartException">The role would not start with these settings.</exception>
    public static async Task RunAsync(Role role, string[] args, TextWriter output)
    {
        var isJson = args.Contains(Json, StringComparer.OrdinalIgnoreCase);
        var settings = await ReadAsync(role, [.. args.Where(static arg => !arg.Equals(Json, StringComparison.OrdinalIgnoreCase))]);
        await output.WriteLineAsync(isJson ? AsJson(settings) : string.Join('\n', settings.Select(AsLine)));
    }

    private const string Json = "--json";

    /// <summary>Builds the program, so that everything that reads settings refuses what it would refuse at start, and starts nothing.</summary>
    internal static async Task<IReadOnlyList<Setting>> ReadAsync(Role role, string[] args)
    {
        var builder = ServiceHost.ReadSettings(args, role, isToStart: false);
        builder.Logging.ClearProviders();
        var origins = new SettingsOrigins(builder.Configuration);
        var settings = builder.Settings();

        // One that starts would make a key and keep it.
        if (settings.Mode != HostMode.Cluster) settings.Key ??= "nothing is kept under this key";
        await using var app = role.Build(builder);
        app.Services.GetService<IStartupValidator>()?.Validate();
        return SettingsList.Of(role, origins, app.Services);
    }

    private static string AsLine(Setting setting) =>
        $"{setting.Key} = {(setting.Value is null ? "(none)" : OnOneLine(setting.Value))}  # {OnOneLine(setting.Source)}";

    private static string OnOneLine(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (var character in text) line.Append(char.IsControl(character) ? $"\\u{(int)character:x4}" : character);
        return line.ToString();
    }

    private static string AsJson(IReadOnlyList<Setting> settings) => JsonSerializer.Serialize(
        settings.Select(static setting => new { key = setting.Key, value = setting.Value, source = setting.Source }), Readable);

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
