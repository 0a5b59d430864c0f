using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace HeartGrains.Hosting;

/// <summary>
/// Reads settings strictly: a key nobody reads, a value that does not parse and a value out of range stop the start with one line that
/// names the setting.
/// </summary>
public static class SettingsCheck
{
    /// <summary>
    /// Checks everything under <c>HeartGrains:</c> against <see cref="HostSettings"/> and the feature sections given, by name; <c>object</c> stands for a section that another
    /// program of the cluster reads.
    /// </summary>
    public static void Check(IConfiguration configuration, IReadOnlyDictionary<string, Type> features)
    {
        var section = configuration.GetSection(HostSettings.Section);
        Check(section, typeof(HostSettings), features);
        foreach (var (name, type) in features.Where(feature => feature.Value != typeof(object))) Check(section.GetSection(name), type, new Dictionary<string, Type>());
    }

    /// <summary>Binds a section that <see cref="Check(IConfiguration, IReadOnlyDictionary{string, Type})"/> has passed.</summary>
    public static T Read<T>(this IConfiguration configuration, string section = HostSettings.Section) where T : new() =>
        configuration.GetSection(section).Get<T>() ?? new T();

    /// <summary>Checks and binds one section, as it is now.</summary>
    public static T ReadChecked<T>(this IConfiguration configuration, string section) where T : new()
    {
        Check(configuration.GetSection(section), typeof(T), new Dictionary<string, Type>());
        return configuration.Read<T>(section);
    }

    private static void Check(IConfigurationSection section, Type type, IReadOnlyDictionary<string, Type> features)
    {
        var instance = Activator.CreateInstance(type)!;
        var properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite).ToArray();
        foreach (var child in section.GetChildren())
        {
            var property = properties.FirstOrDefault(candidate => string.Equals(candidate.Name, child.Key, StringComparison.OrdinalIgnoreCase));
            if (property is null)
            {
                if (features.Keys.Contains(child.Key, StringComparer.OrdinalIgnoreCase)) continue;
                var nearest = Spelling.Nearest(child.Key, properties.Select(candidate => candidate.Name).Concat(features.Keys));
                throw new StartException($"Nothing reads the setting {child.Path}; did you mean {section.Path}:{nearest}?");
            }

            if (ElementOf(property.PropertyType) is { } element)
                CheckList(child, element);
            else if (IsSection(property.PropertyType) && child.Value is null && child.GetChildren().Any())
                Check(child, property.PropertyType, new Dictionary<string, Type>());
            else if (child.GetChildren().FirstOrDefault() is { } below)
                throw new StartException($"Nothing reads the setting {below.Path}; {child.Path} is a single value.");
            else
                CheckValue(child, property, instance);
        }
    }

    private static void CheckList(IConfigurationSection list, Type element)
    {
        if (!string.IsNullOrEmpty(list.Value)) throw StartException.Setting(list.Path, $"'{list.Value}' is not a list of sections");
        foreach (var item in list.GetChildren())
        {
            if (!int.TryParse(item.Key, System.Globalization.NumberStyles.None, null, out _) || !item.GetChildren().Any())
                throw StartException.Setting(item.Path, $"'{item.Value ?? item.Key}' is not an entry of a list of sections");
            Check(item, element, new Dictionary<string, Type>());
        }
    }

    private static bool IsSection(Type type) => !type.IsEnum && type.Namespace?.StartsWith("System", StringComparison.Ordinal) is not true;

    /// <summary>What a list of sections holds; null for anything else.</summary>
    private static Type? ElementOf(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(List<>) && IsSection(type.GenericTypeArguments[0]) ? type.GenericTypeArguments[0] : null;

    private static void CheckValue(IConfigurationSection setting, PropertyInfo property, object instance)
    {
        // Named as documented, however the setting spelled it.
        var name = ConfigurationPath.Combine(ConfigurationPath.GetParentPath(setting.Path)!, property.Name);
        object? value;
        try
        {
            value = setting.Get(property.PropertyType);
        }
        catch (InvalidOperationException)
        {
            throw Unreadable();
        }

        // Numbers are read as enumerations too, whether they stand for something or not.
        if (value is Enum && !Enum.IsDefined(value.GetType(), value)) throw Unreadable();

        var context = new ValidationContext(instance) { MemberName = property.Name };
        var failures = new List<ValidationResult>();
        if (!Validator.TryValidateProperty(value, context, failures))
            throw StartException.Setting(name, $"'{(property.Name is nameof(HostSettings.Key) ? "…" : setting.Value)}' is refused: {failures[0].ErrorMessage}");

        StartException Unreadable() => StartException.Setting(name, $"'{setting.Value}' is not {Describe(property.PropertyType)}");
    }

    private static string Describe(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsEnum) return "one of " + string.Join(", ", Enum.GetNames(type).Select(name => name.ToLowerInvariant()));
        if (type == typeof(TimeSpan)) return "a time such as 00:00:02.5";
        if (type == typeof(bool)) return "true or false";
        return type == typeof(int) || type == typeof(long) ? "a whole number" : $"a {type.Name}";
    }
}
