using System.Collections;
using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace HeartGrains.Hosting;

/// <summary>Every setting that a role reads, with the value in force; secrets are hidden.</summary>
internal sealed class SettingsList
{
    private static readonly string[] Connections = ["Redis", "Postgres", "PostgresOwner"];
    private static readonly string[] FrameworkSections = ["ConnectionStrings", "Logging", "Kestrel", "Orleans"];

    private readonly SettingsOrigins _origins;
    private readonly List<Setting> _settings = [];

    private SettingsList(SettingsOrigins origins) => _origins = origins;

    /// <summary>Reads the settings of a program that was built and not started.</summary>
    public static IReadOnlyList<Setting> Of(Role role, SettingsOrigins origins, IServiceProvider services)
    {
        var list = new SettingsList(origins);
        list.AddSection(HostSettings.Section, services.GetRequiredService<HostSettings>());
        foreach (var (name, type) in role.Features) list.AddFeature($"{HostSettings.Section}:{name}", type, services);
        foreach (var name in Connections) list.AddValue($"ConnectionStrings:{name}", typeof(string), origins.ValueOf($"ConnectionStrings:{name}"));
        foreach (var section in FrameworkSections) list.AddConfigured(origins.Below(section));
        list.AddConfigured(origins.Beginning("OTEL_"));
        return [.. list._settings
            .Where(static setting => setting.Value is not null)
            .Concat(list._settings.Where(static setting => setting.Value is null))
            .DistinctBy(static setting => setting.Key, StringComparer.OrdinalIgnoreCase)
            .OrderBy(static setting => setting.Key, ConfigurationKeyComparer.Instance)];
    }

    private void AddFeature(string key, Type type, IServiceProvider services)
    {
        if (SettingsCheck.IsSection(type)) AddSection(key, InForce(key, type, services));
        else if (_origins.Below(key).ToArray() is { Length: > 0 } configured) AddConfigured(configured);
        else if (type != typeof(object)) _settings.Add(new Setting(key, null, SettingsOrigins.Default));
    }

    private void AddConfigured(IEnumerable<Setting> settings) =>
        _settings.AddRange(settings.Select(static setting => setting with { Value = setting.Value is null ? null : Secrets.Hide(setting.Key, setting.Value) }));

    /// <summary>Options where they are set up as such: what was worked out from other settings is in them too.</summary>
    private static object InForce(string key, Type type, IServiceProvider services) =>
        services.GetServices(typeof(IConfigureOptions<>).MakeGenericType(type)).Any()
            ? typeof(IOptions<>).MakeGenericType(type).GetProperty(nameof(IOptions<object>.Value))!.GetValue(services.GetRequiredService(typeof(IOptions<>).MakeGenericType(type)))!
            : services.GetRequiredService<IConfiguration>().GetSection(key).Get(type) ?? Activator.CreateInstance(type)!;

    private void AddSection(string key, object section)
    {
        foreach (var property in section.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(static property => property.CanWrite))
            Add($"{key}:{property.Name}", property.PropertyType, property.GetValue(section));
    }

    private void Add(string key, Type type, object? value)
    {
        if (value is IEnumerable and not string)
        {
            var entries = ((IEnumerable)value).Cast<object>().ToArray();
            foreach (var (index, entry) in entries.Index()) Add($"{key}:{index}", entry.GetType(), entry);
            if (entries.Length == 0) AddValue(key, type, null);
        }
        else if (value is not null && SettingsCheck.IsSection(type)) AddSection(key, value);
        else AddValue(key, type, value);
    }

    private void AddValue(string key, Type type, object? value)
    {
        var (configured, source) = (_origins.ValueOf(key), _origins.SourceOf(key));

        // What the program made of a secret, or in its place, is no setting.
        if (type == typeof(string) && Secrets.IsNameOfSecret(key)) value = configured;
        var text = value is null ? null : TextOf(value);
        if (configured is { Length: > 0 } && !IsSame(configured, type, text)) source = $"the role, over '{Secrets.Hide(key, configured)}' of {source}";
        _settings.Add(new Setting(key, text is null || type != typeof(string) ? text : Secrets.Hide(key, text), source));
    }

    private static bool IsSame(string configured, Type type, string? text)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        var converter = TypeDescriptor.GetConverter(type);
        return !converter.CanConvertFrom(typeof(string)) || TextOf(converter.ConvertFromInvariantString(configured)!) == text;
    }

    private static string TextOf(object value) => value switch
    {
        bool flag => flag ? "true" : "false",
        Enum name => name.ToString().ToLowerInvariant(),
        TimeSpan time => time.Ticks % TimeSpan.TicksPerSecond == 0 ? time.ToString("c") : time.ToString("c").TrimEnd('0'),
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };
}
