using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Json;
using Microsoft.Extensions.FileProviders;

namespace HeartGrains.Hosting;

/// <summary>
/// Settings files: the <c>appsettings.json</c> inside the program, and, followed while it runs, the one beside it, if there is one, and the one named by <c>--settings</c>; each wins over those before it. A file that
/// stops being JSON counts as unchanged until it is again, so that a half-written one takes nothing away.
/// </summary>
internal static partial class SettingsFiles
{
    /// <summary>The configuration key of the file named on the command line or in the environment.</summary>
    public const string Key = "HeartGrains:Settings";

    /// <summary>
    /// Puts the <c>appsettings.json</c> inside a program below all other settings. A list in the file beside the program takes the place of the one inside, so that it can be shortened too.
    /// </summary>
    public static void AddBuiltInSettings(this IConfigurationBuilder configuration, Assembly program, string folder) =>
        configuration.Sources.Insert(0, new BuiltInSource(program, Path.Combine(folder, "appsettings.json")));

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

    private sealed class BuiltInSource(Assembly program, string beside) : IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => new BuiltInProvider(program, beside);
    }

    /// <summary>Settings from inside the program.</summary>
    internal sealed partial class BuiltInProvider(Assembly program, string beside) : ConfigurationProvider
    {
        public override void Load()
        {
            using var file = program.GetManifestResourceStream("appsettings.json");
            if (file is null) return;
            var others = ReadBeside();
            foreach (var (key, value) in new ConfigurationBuilder().AddJsonStream(file).Build().AsEnumerable())
                if (value is not null && !(ListOf().Match(key) is { Success: true } list && others.GetSection(list.Value).Exists())) Data[key] = value;
        }

        private IConfiguration ReadBeside()
        {
            try
            {
                return new ConfigurationBuilder().AddJsonFile(beside, optional: true).Build();
            }
            catch (InvalidDataException)
            {
                // Told by who reads it for good.
                return new ConfigurationBuilder().Build();
            }
        }

        [GeneratedRegex("^.*?(?=:[0-9]+(:|$))", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
        private static partial Regex ListOf();
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
