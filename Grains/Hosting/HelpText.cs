using System.Reflection;
using System.Text;

namespace HeartGrains.Hosting;

/// <summary>What <c>--help</c> prints.</summary>
internal static class HelpText
{
    public static string Of(IReadOnlyList<Role> roles)
    {
        var name = ProgramName();
        var words = roles.Count == 1 ? "[COMMAND]" : "[ROLE] [COMMAND]";
        var text = new StringBuilder($"HeartGrains: hearts for anything, counted once and kept.\n\n  {name} {words} [SWITCH…]\n");
        Add(text, "Roles", roles.Select((role, index) => (role.Name, role.Summary + $"; port {role.DefaultPort}" + (index == 0 && roles.Count > 1 ? " (default role)" : ""))));
        Add(text, "Commands", ServerCommandLine.Commands.Select(static command => (command.Key, command.Value)));
        Add(text, "Switches: --name=value", Switches.Table.Select(static item => (item.Name, $"{item.Effect}{DefaultOf(item.Key)}")));
        text.Append("""

            Settings
              Any other setting is a switch too: --HeartGrains:Ledger:QueueLimit=5000. They come, each winning over those before it, from
              the program's own defaults, appsettings.json beside it, the file of --settings, the environment
              (HEARTGRAINS__LEDGER__QUEUELIMIT=5000), and the command line. 'config show' lists them all. Secrets belong in the
              environment: a command line is readable by everyone on the machine.

            """.ReplaceLineEndings("\n"));
        Add(text, "Examples", Examples(roles).Select(example => ($"{name} {example.Line}".TrimEnd(), example.Effect)));
        return text.ToString().TrimEnd();
    }

    private static IEnumerable<(string Line, string Effect)> Examples(IReadOnlyList<Role> roles)
    {
        var names = roles.Select(static role => role.Name).ToArray();
        if (names.Contains("gateway"))
        {
            yield return ("", "everything in one process, hearts in ./data");
            yield return ("--mode=dev --port=9000", "hearts in memory, for a try");
            yield return ("gateway --mode=cluster --redis=10.0.0.5:6379", "a gateway of a cluster");
        }

        if (names.Contains("silo")) yield return ("silo --redis=10.0.0.5:6379 --advertised-address=10.0.0.7", "a silo of it; CONNECTIONSTRINGS__POSTGRES and HEARTGRAINS__KEY are in the environment");
        yield return ("config show --port=9000", "what would be in force");
    }

    private static void Add(StringBuilder text, string title, IEnumerable<(string Name, string Effect)> rows)
    {
        var all = rows.ToArray();
        var width = all.Max(static row => row.Name.Length);
        text.Append($"\n{title}\n");
        foreach (var (name, effect) in all) text.Append($"  {name.PadRight(width)}  {effect}\n");
    }

    /// <summary>What the options class says when nothing is configured; a port is the role's.</summary>
    private static string DefaultOf(string key)
    {
        if (!key.StartsWith(HostSettings.Section + ":", StringComparison.Ordinal)) return "";
        object? value = new HostSettings();
        foreach (var part in key.Split(':').Skip(1)) value = value?.GetType().GetProperty(part, BindingFlags.Public | BindingFlags.Instance)?.GetValue(value);
        return value is null or 0 ? "" : $"; default {(value is Enum ? value.ToString()!.ToLowerInvariant() : value)}";
    }

    private static string ProgramName() => Path.GetFileNameWithoutExtension(Environment.ProcessPath) is { } name and not "dotnet" ? name : Assembly.GetEntryAssembly()?.GetName().Name ?? "heart-server";
}
