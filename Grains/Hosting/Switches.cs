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
        ["--data"] = "HeartGrains:Data",
        ["--key"] = "HeartGrains:Key",
        ["--settings"] = "HeartGrains:Settings",
        ["--dashboard"] = "HeartGrains:Dashboard",
        ["--silo-port"] = "HeartGrains:Cluster:SiloPort",
        ["--client-port"] = "HeartGrains:Cluster:ClientPort",
        ["--advertised-address"] = "HeartGrains:Cluster:AdvertisedAddress",
        ["--redis"] = "ConnectionStrings:Redis",
        ["--postgres"] = "ConnectionStrings:Postgres",
    };

    /// <summary>The same, as the command line's configuration provider wants it.</summary>
    internal static Dictionary<string, string> Mappings { get; } = new(All, StringComparer.OrdinalIgnoreCase);

    /// <summary>How a key is written on the command line.</summary>
    public static string Of(string key)
    {
        foreach (var (name, target) in All)
            if (string.Equals(target, key, StringComparison.OrdinalIgnoreCase))
                return name;

        return $"--{key}";
    }

    /// <summary>Throws for a switch that nobody reads.</summary>
    public static void Check(IEnumerable<string> args)
    {
        var mayBeValue = false;
        foreach (var arg in args)
        {
            var isValue = mayBeValue && !arg.StartsWith("--", StringComparison.Ordinal);
            mayBeValue = !isValue && !arg.Contains('=', StringComparison.Ordinal);
            if (isValue) continue;
            if (!arg.StartsWith("--", StringComparison.Ordinal)) throw new StartException($"'{arg}' is no switch: write --name=value.");
            var name = arg.Split('=')[0];
            if (All.ContainsKey(name) || name.Contains(':', StringComparison.Ordinal)) continue;
            throw new StartException($"There is no switch {name}; did you mean {Spelling.Nearest(name, All.Keys)}?");
        }
    }
}
