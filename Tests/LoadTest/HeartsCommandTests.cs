using HeartGrains.LoadTest;
using HeartGrains.LoadTest.Hearts;
using Spectre.Console;

namespace HeartGrains.Tests.LoadTest;

public sealed class HeartsCommandTests
{
    [Theory]
    [InlineData("--url ftp://here", "http://127.0.0.1:8080")]
    [InlineData("--duration soon", "10s")]
    [InlineData("--duration 25h", "24h")]
    [InlineData("--connections 0", "--connections")]
    [InlineData("--rate -1", "--rate")]
    [InlineData("--from nowhere", "127.0.0.2")]
    [InlineData("--targets 999999999", "10,000,000")]
    [InlineData("--pids 999999999", "--pids")]
    [InlineData("--skew normal", "normal")]
    [InlineData("--speed 9", "--speed")]
    public async Task Hearts_BadUsage_TeachesAndExitsWith2(string arguments, string expected)
    {
        var (exitCode, output) = await RunAsync(["hearts", .. arguments.Split(' ')]);

        exitCode.ShouldBe(ExitCode.BadUsage);
        output.ShouldContain(expected);
        output.ShouldContain("hearts --help");
    }

    [Fact]
    public async Task Hearts_CorrectServer_ReportsAndExitsWith0()
    {
        await using var server = await HeartServer.StartAsync();

        var (exitCode, output) = await RunAsync(
            ["hearts", "--url", $"{server.Url},{server.Url}", "--url", $"{server.Url}", "--duration", "2s", "--rate", "200", "--connections", "4", "--verify", "--seed", "7"]);

        exitCode.ShouldBe(ExitCode.Success);
        foreach (var row in new[] { "requests/s", "latency p99.9", "status 201", "hearts acknowledged", "none" }) output.ShouldContain(row);
    }

    [Fact]
    public async Task Hearts_ServerLosesHearts_ListsThemAndExitsWith1()
    {
        await using var server = await HeartServer.StartAsync(HeartServerFault.LosesHeart);

        var (exitCode, output) = await RunAsync(["hearts", "--url", $"{server.Url}", "--duration", "2s", "--rate", "200", "--connections", "4", "--verify"]);

        exitCode.ShouldBe(ExitCode.Failed);
        output.ShouldContain(nameof(HeartViolationKind.Lost));
    }

    [Fact]
    public async Task Hearts_NobodyListens_ExitsWith1()
    {
        var (exitCode, output) = await RunAsync(["hearts", "--url", "http://127.0.0.1:1", "--duration", "100ms", "--connections", "1"]);

        exitCode.ShouldBe(ExitCode.Failed);
        output.ShouldContain("No request succeeded");
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string[] args)
    {
        await using var output = new StringWriter();
        var console = AnsiConsole.Create(new() { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 160;
        var exitCode = await LoadTestCommandLine.RunAsync(args, console, HeartsCommand.Create);
        return (exitCode, output.ToString());
    }
}
