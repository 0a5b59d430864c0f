using HeartGrains.LoadTest;
using HeartGrains.LoadTest.Overload;
using HeartGrains.Tests.Cluster;
using Spectre.Console;

namespace HeartGrains.Tests.LoadTest;

/// <summary>The command that overloads a server, on a real clock: beside other tests the server does not keep up.</summary>
[Collection(nameof(AloneCollection))]
public sealed class OverloadCommandTests
{
    private static readonly string[] Short = ["--duration", "1s", "--calm", "3s", "--warmup", "50ms", "--peak-step", "200ms", "--connections", "20"];

    [Theory]
    [InlineData("--factor 0", "--factor")]
    [InlineData("--goal soon", "500ms")]
    [InlineData("--connections 0", "--connections")]
    public async Task Overload_BadUsage_TeachesAndExitsWith2(string arguments, string expected)
    {
        var (exitCode, output) = await RunAsync(["overload", .. arguments.Split(' ')]);

        exitCode.ShouldBe(ExitCode.BadUsage);
        output.ShouldContain(expected);
    }

    [Fact]
    public async Task Overload_ServerKeepsUp_ReportsAndExitsWith0()
    {
        await using var server = await HeartServer.StartAsync();

        var (exitCode, output) = await RunAsync(["overload", "--url", $"{server.Url}", "--peak", "100", "--factor", "1", "--goal", "5s", .. Short]);

        exitCode.ShouldBe(ExitCode.Success, output);
        foreach (var row in new[] { "goodput", "refused, from due time", "sent late by", "recovered after" }) output.ShouldContain(row);
    }

    [Fact]
    public async Task Overload_LessIsAdmittedThanThePeak_ExitsWith1()
    {
        await using var server = await HeartServer.StartAsync();

        var (exitCode, output) = await RunAsync(["overload", "--url", $"{server.Url}", "--factor", "0.1", "--goal", "5s", .. Short]);

        exitCode.ShouldBe(ExitCode.Failed, output);
        output.ShouldContain("closed loop, 64 connections");
    }

    [Fact]
    public async Task Overload_OtherAnswers_ExitsWith1()
    {
        await using var server = await HeartServer.StartAsync();
        server.Refuses = true;

        var (exitCode, output) = await RunAsync(["overload", "--url", $"{server.Url}", "--peak", "100", "--factor", "1", "--goal", "5s", .. Short]);

        exitCode.ShouldBe(ExitCode.Failed, output);
        output.ShouldContain("100 others");
    }

    [Fact]
    public async Task Overload_NobodyListens_ExitsWith1()
    {
        var (exitCode, output) = await RunAsync(["overload", "--url", "http://127.0.0.1:1", .. Short]);

        exitCode.ShouldBe(ExitCode.Failed);
        output.ShouldContain("No heart was admitted");
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string[] args)
    {
        await using var output = new StringWriter();
        var console = AnsiConsole.Create(new() { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 160;
        var exitCode = await LoadTestCommandLine.RunAsync(args, console, OverloadCommand.Create);
        return (exitCode, output.ToString());
    }
}
