using System.Reflection;
using System.Runtime.InteropServices;
using HeartGrains.Transfer;

namespace HeartGrains.Hosting;

/// <summary>What a command line asks for: <c>[ROLE] [COMMAND] [SWITCH…]</c>.</summary>
public sealed record ServerCommandLine
{
    private const string Help = "help", Version = "version", Show = "config show";

    /// <summary>Commands that are no role.</summary>
    internal static IReadOnlyDictionary<string, string> Commands { get; } = new Dictionary<string, string>
    {
        [Show] = "every setting, its value in force and where it came from; starts nothing (--json for programs)",
        [HeartsCommand.Export] = "all hearts as lines of JSON (--file=FILE, else standard output), also beside a program that runs",
        [HeartsCommand.Import] = "fills an empty ledger with them (--file=FILE, else standard input)",
        [HeartsCommand.Backup] = "copies hearts and key of mode single into a folder (--to=FOLDER), also beside a program that runs",
        [Help] = "this text (--help, -h)",
        [Version] = "version and runtime (--version)",
    };

    private ServerCommandLine(Role role, string? command, string[] switches) => (Role, Command, Switches) = (role, command, switches);

    /// <summary>The first role unless another is named.</summary>
    public Role Role { get; }

    /// <summary>One of <see cref="Commands"/>; null runs the role.</summary>
    public string? Command { get; }

    /// <summary>What follows.</summary>
    public IReadOnlyList<string> Switches { get; }

    /// <summary>Does what the command line says; the process's exit code.</summary>
    public static Task<int> RunAsync(string[] args, params Role[] roles) => ServiceHost.RunAsync(async () =>
    {
        var line = Read(args, roles);
        switch (line.Command)
        {
            case Help: await Console.Out.WriteLineAsync(HelpText.Of(roles)); break;
            case Version: await Console.Out.WriteLineAsync(VersionText()); break;
            case Show: await ConfigShow.RunAsync(line.Role, [.. line.Switches], Console.Out); break;
            case HeartsCommand.Export or HeartsCommand.Import or HeartsCommand.Backup:
                await HeartsCommand.RunAsync(line.Command, line.Role, [.. line.Switches], Console.OpenStandardInput(), Console.OpenStandardOutput(), Console.Error);
                break;
            default:
                await using (var app = line.Role.Build(ServiceHost.CreateBuilder([.. line.Switches], line.Role))) await app.RunAsync();
                break;
        }
    });

    /// <summary>Reads the words in front of the switches.</summary>
    /// <exception cref="StartException">A word is neither a role nor a command.</exception>
    public static ServerCommandLine Read(string[] args, IReadOnlyList<Role> roles)
    {
        var words = args.TakeWhile(static arg => !arg.StartsWith('-')).ToArray();
        var named = words.Length == 0 ? null : roles.FirstOrDefault(role => role.Name.Equals(words[0], StringComparison.OrdinalIgnoreCase));
        var rest = args[words.Length..];
        if (named is not null) words = words[1..];
        if (rest.Any(static arg => arg is "-h" || arg.Equals("--help", StringComparison.OrdinalIgnoreCase))) words = [Help];
        else if (rest.Any(static arg => arg.Equals("--version", StringComparison.OrdinalIgnoreCase))) words = [Version];

        var command = string.Join(' ', words).ToLowerInvariant();
        if (command.Length > 0 && !Commands.ContainsKey(command))
        {
            var nearest = Spelling.Nearest(command, Commands.Keys.Concat(named is null ? roles.Select(static role => role.Name) : []));
            throw new StartException($"There is no role or command '{string.Join(' ', words)}'; did you mean {nearest}? --help lists them.");
        }

        return new ServerCommandLine(named ?? roles[0], command.Length == 0 ? null : command, rest);
    }

    private static string VersionText()
    {
        var version = Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        return $"HeartGrains {version} ({RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier})";
    }
}
