using System.CommandLine;
using Spectre.Console;

namespace HeartGrains.LoadTest;

/// <summary>The program's exit codes.</summary>
public static class ExitCode
{
    /// <summary>The run did what was asked.</summary>
    public const int Success = 0;

    /// <summary>A promise was broken, or no request succeeded.</summary>
    public const int Failed = 1;

    /// <summary>The command line makes no sense.</summary>
    public const int BadUsage = 2;
}

/// <summary>Runs the command a command line names.</summary>
public static class LoadTestCommandLine
{
    /// <summary>Returns the exit code.</summary>
    public static async Task<int> RunAsync(string[] args, IAnsiConsole console, params Func<IAnsiConsole, Command>[] commands)
    {
        // Answers are handled on the thread that polls the sockets: nothing here blocks, and a hand-over to the thread pool would
        // cost more than the handling. The runtime reads this before the first socket is made.
        Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

        var root = new RootCommand("Loads HeartGrains and reports what it saw.");
        foreach (var create in commands) root.Add(create(console));
        var parsed = root.Parse(args);
        if (parsed.Errors.Count == 0) return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });

        foreach (var error in parsed.Errors) console.MarkupLineInterpolated($"[red]{error.Message}[/]");
        console.WriteLine("Try: dotnet run -c Release --project LoadTest -- hearts --url http://127.0.0.1:8080   (all options: hearts --help)");
        return ExitCode.BadUsage;
    }
}
