using HeartGrains.LoadTest;
using HeartGrains.LoadTest.Recovery;
using Spectre.Console;

namespace HeartGrains.Tests.LoadTest;

public sealed class RecoveryCommandTests
{
    [Theory]
    [InlineData("--recoveries 0", "--recoveries")]
    [InlineData("--seed -1", "--seed")]
    [InlineData("--early soon", "10s")]
    [InlineData("--chart recovery.png", "recovery.svg")]
    [InlineData("--chart /no/such/folder/recovery.svg", "a folder that exists")]
    public async Task Recovery_BadUsage_TeachesAndExitsWith2(string arguments, string expected)
    {
        var (exitCode, output) = await RunAsync($"recovery {arguments}");
        exitCode.ShouldBe(ExitCode.BadUsage);
        output.ShouldContain(expected);
    }

    [Fact]
    public async Task Recovery_Few_WritesTableSeedAndChart()
    {
        var chart = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.svg");
        try
        {
            var (_, output) = await RunAsync($"recovery --recoveries 5 --seed 3 --chart {chart}");
            output.ShouldContain("seed 3");
            output.ShouldContain("ours");
            (await File.ReadAllTextAsync(chart, TestContext.Current.CancellationToken)).ShouldStartWith("<svg");
        }
        finally
        {
            File.Delete(chart);
        }
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string arguments)
    {
        await using var output = new StringWriter();
        var console = AnsiConsole.Create(new() { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 160;
        var exitCode = await LoadTestCommandLine.RunAsync(arguments.Split(' '), console, RecoveryCommand.Create);
        return (exitCode, output.ToString());
    }
}
