using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.FileProviders;

namespace HeartGrains.Hosting;

/// <summary>
/// Settings files, followed while the program runs: <c>appsettings.json</c> beside the program, and the one named by <c>--settings</c>, which wins. A file that
/// stops being JSON counts as unchanged until it is again, so that a half-written one takes nothing away.
/// </summary>
internal static class SettingsFiles
{
    /// <summary>The configuration key of the file named on the command line or in the environment.</summary>
    public const string Key = "HeartGrains:Settings";

    public static void AddSettingsFiles(this IConfigurationManager configuration, string[] args)
    {
        for (var index = 0; index < configuration.Sources.Count; index++)
        {
            if (configuration.Sources[index] is JsonConfigurationSource { Path: not null } file) configuration.Sources[index] = new SteadyJsonSource(file);
        }

        var named = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args, Switches.Mappings).Build()[Key];
        if (named is null) return;
        var path = Path.GetFullPath(named);
        if (!File.Exists(path)) throw StartException.Setting(Key, $"There is no file '{path}'");
        configuration.Sources.Add(new SteadyJsonSource(new JsonConfigurationSource
        {
            FileProvider = new PhysicalFileProvider(Path.GetDirectoryName(path)!, Microsoft.Extensions.FileProviders.Physical.ExclusionFilters.None),
            Path = Path.GetFileName(path),
            ReloadOnChange = true,
        }));
    }

    private sealed class SteadyJsonSource : JsonConfigurationSource
    {
        public SteadyJsonSource(JsonConfigurationSource source)
        {
            (FileProvider, Path) = (source.FileProvider, source.Path!);
            (Optional, ReloadOnChange) = (source.Optional, source.ReloadOnChange);
        }

        public override IConfigurationProvider Build(IConfigurationBuilder builder)
        {
            EnsureDefaults(builder);
            return new SteadyJsonProvider(this);
        }
    }

    private sealed class SteadyJsonProvider(SteadyJsonSource source) : JsonConfigurationProvider(source)
    {
        private IDictionary<string, string?>? _good;

        public override void Load(Stream stream)
        {
            try
            {
                base.Load(stream);
                _good = Data;
            }
            catch (FormatException exception) when (_good is not null)
            {
                Data = _good;
                Console.Error.WriteLine($"heartgrains: {Source.Path} stays as it was: {exception.Message}");
            }
            catch (FormatException exception)
            {
                throw new StartException($"{Source.Path} is no JSON: {exception.InnerException?.Message ?? exception.Message}");
            }
        }
    }
}
