namespace HeartGrains.Hosting;

/// <summary>The short switches of the command line; any other setting is <c>--Section:Key=value</c>.</summary>
public static class Switches
{
    /// <summary>The switches, in the order <c>--help</c> gives them: name, configuration key, effect.</summary>
    internal static IReadOnlyList<(string Name, string Key, string Effect)> Table { get; } =
    [
        ("--mode", "HeartGrains:Mode", "gateway: single (hearts in a file), dev (in memory) or cluster (in silos)"),
        ("--listen", "HeartGrains:Listen", "address of HTTP; 0.0.0.0 for all of this machine's"),
        ("--port", "HeartGrains:Port", "port of HTTP; 0 takes a free one"),
        ("--admin-port", "HeartGrains:Admin:Port", "a port of their own for operators' routes, on loopback; default none"),
        ("--grpc-port", "HeartGrains:Grpc:Port", "gateway: port of gRPC; default none"),
        ("--data", "HeartGrains:Data", "folder of mode single: hearts and key"),
        ("--key", "HeartGrains:Key", "secret that ids are derived from, the same in all silos, for good; better in the environment"),
        ("--settings", "HeartGrains:Settings", "a JSON file of settings, followed while the program runs"),
        ("--dashboard", "HeartGrains:Dashboard", "Orleans Dashboard under /dashboard; default on in single and dev on loopback"),
        ("--logs", "HeartGrains:Logs", "text or json"),
        ("--silo-port", "HeartGrains:Cluster:SiloPort", "silo: port for other silos"),
        ("--client-port", "HeartGrains:Cluster:ClientPort", "silo: port for gateways"),
        ("--advertised-address", "HeartGrains:Cluster:AdvertisedAddress", "silo: where others reach it, and where it listens for them"),
        ("--redis", "ConnectionStrings:Redis", "cluster: Redis, as host:port"),
        ("--postgres", "ConnectionStrings:Postgres", "silo: PostgreSQL's connection string; better in the environment"),
    ];

    /// <summary>Switch to configuration key.</summary>
    public static IReadOnlyDictionary<string, string> All { get; } = Table.ToDictionary(static item => item.Name, static item => item.Key, StringComparer.OrdinalIgnoreCase);

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
