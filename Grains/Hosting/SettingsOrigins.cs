using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Json;

namespace HeartGrains.Hosting;

/// <summary>What was configured, and by which source: the last one that has a key.</summary>
internal sealed class SettingsOrigins
{
    /// <summary>Of settings that nobody configured.</summary>
    public const string Default = "default";

    private readonly Dictionary<string, (string? Value, string Source)> _found = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Reads all sources as they are now.</summary>
    public SettingsOrigins(IConfigurationRoot configuration)
    {
        var settingsFile = configuration[SettingsFiles.Key] is { } named ? Path.GetFullPath(named) : null;
        foreach (var (key, _) in configuration.AsEnumerable())
        {
            foreach (var provider in configuration.Providers.Reverse())
            {
                if (!provider.TryGet(key, out var value)) continue;
                _found[key] = (value, NameOf(provider, settingsFile));
                break;
            }
        }
    }

    /// <summary>The source of a value, which may stand in several keys below the one given.</summary>
    public string SourceOf(string key) => _found.TryGetValue(key, out var setting) ? setting.Source : Below(key).Select(static below => below.Source).FirstOrDefault(Default);

    /// <summary>What was configured for a key; null for nothing.</summary>
    public string? ValueOf(string key) => _found.GetValueOrDefault(key).Value;

    /// <summary>Everything that is a value, is no section, and is called so or stands below it.</summary>
    public IEnumerable<Setting> Below(string key) => _found
        .Where(setting => setting.Value.Value is not null && (setting.Key.StartsWith(key + ":", StringComparison.OrdinalIgnoreCase) || setting.Key.Equals(key, StringComparison.OrdinalIgnoreCase)))
        .Select(static setting => new Setting(setting.Key, setting.Value.Value, setting.Value.Source));

    /// <summary>Keys without a section that begin so.</summary>
    public IEnumerable<Setting> Beginning(string prefix) => _found
        .Where(setting => setting.Key.StartsWith(prefix, StringComparison.Ordinal))
        .Select(static setting => new Setting(setting.Key, setting.Value.Value, setting.Value.Source));

    private static string NameOf(IConfigurationProvider provider, string? settingsFile) => provider switch
    {
        EnvironmentVariablesConfigurationProvider => "environment",
        CommandLineConfigurationProvider => "command line",
        SettingsFiles.BuiltInProvider => "built-in appsettings.json",
        JsonConfigurationProvider { Source: { FileProvider: { } folder, Path: { } name } } =>
            folder.GetFileInfo(name).PhysicalPath is { } path && path == settingsFile ? $"settings file {path}" : name,
        _ => Default,
    };
}

/// <summary>One setting, one line.</summary>
/// <param name="Key">Its name in a settings file.</param>
/// <param name="Value">What is in force; null for nothing.</param>
/// <param name="Source">Who said so.</param>
internal sealed record Setting(string Key, string? Value, string Source);
