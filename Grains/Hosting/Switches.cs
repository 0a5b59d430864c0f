namespace HeartGrains.Hosting;

/// <summary>The short switches of the command line; any other setting is <c>--Section:Key=value</c>.</summary>
public static class Switches
{
    /// <summary>Switch to configuration key.</summary>
    public static IReadOnlyDictionary<string, string> All { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["--mode"] = "HeartGrains:Mode",
        ["--listen"] = "HeartGrains:Listen",
        ["--port"] = "HeartGrains:Port",
        ["--admin-port"] = "HeartGrains:Admin:Port",
        ["--data"] = "HeartGrains:Data",
        ["--key"] = "HeartGrains:Key",
        ["--settings"] = "HeartGrains:Settings",
        ["--dashboard"] = "HeartGrains:Dashboard",
        ["--logs"] = "HeartGrains:Logs",
        ["--silo-port"] = "HeartGrains:Cluster:SiloPort",
        ["--client-port"] = "HeartGrains:Cluster:ClientPort",
        ["--advertised-address"] = "HeartGrains:Cluster:AdvertisedAddress",
        ["--redis"] = "ConnectionStrings:Redis",
        ["--postgres"] = "ConnectionStrings:Postgres",
    };

    /// <summary>The same, as the command line's configuration provider wants it.</summary>
    internal static Dictionary<string, string> Mappings { get; } = new(All, StringComparer.OrdinalIgnoreCase);

    /// <summary>The sections that something reads: ours, and the framework's.</summary>
    private static readonly string[] Sections = [HostSettings.Section, "ConnectionStrings", "Logging", "Kestrel", "Orleans"];

    /// <summary>How a key is written on the command line.</summary>
    public static string Of(string key)
    {
        foreach (var (name, target) in All)
            if (string.Equals(target, key, StringComparison.OrdinalIgnoreCase))
                return name;

        return $"--{key}";
    }

    /// <summary>Throws for a switch that nobody reads or that has no value.</summary>
    public static void Check(IEnumerable<string> args)
    {
        string? open = null;
        foreach (var arg in args)
        {
            var isSwitch = arg.StartsWith("--", StringComparison.Ordinal);
            if (open is not null && isSwitch) break;
            if (open is null && !isSwitch) throw new StartException($"'{arg}' is no switch: write --name=value.");
            if (isSwitch) CheckName(arg.Split('=')[0]);
            open = isSwitch && !arg.Contains('=', StringComparison.Ordinal) ? arg : null;
        }

        if (open is not null) throw new StartException($"The switch {open} has no value: write {open}=value.");
    }

    private static void CheckName(string name)
    {
        if (All.ContainsKey(name)) return;
        if (!name.Contains(':', StringComparison.Ordinal)) throw new StartException($"There is no switch {name}; did you mean {Spelling.Nearest(name, All.Keys)}?");
        var (section, key) = (name[2..name.IndexOf(':', StringComparison.Ordinal)], name[name.IndexOf(':', StringComparison.Ordinal)..]);
        if (!Sections.Contains(section, StringComparer.OrdinalIgnoreCase))
            throw new StartException($"Nothing reads the setting {section}{key}; did you mean {Spelling.Nearest(section, Sections)}{key}?");
    }
}
