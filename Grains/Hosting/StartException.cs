namespace HeartGrains.Hosting;

/// <summary>The program cannot start as it is configured; the message is one line that tells the operator what to change.</summary>
public sealed class StartException : Exception
{
    /// <inheritdoc/>
    public StartException(string message) : base(message) { }

    /// <summary>A bad setting, named in its three spellings.</summary>
    public static StartException Setting(string key, string problem) => new($"{problem} ({Spellings(key)})");

    /// <summary>The three spellings of a setting: in a file, in the environment, on the command line.</summary>
    public static string Spellings(string key) =>
        $"{key}, {key.Replace(":", "__", StringComparison.Ordinal).ToUpperInvariant()}, {Switches.Of(key)}";
}
