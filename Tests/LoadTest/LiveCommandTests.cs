using System.Text;
using HeartGrains.LoadTest;
using HeartGrains.LoadTest.Live;
using HeartGrains.LoadTest.Report;
using HeartGrains.Tests.Gateway;
using Spectre.Console;

namespace HeartGrains.Tests.LoadTest;

/// <summary>The measurements of live hearts, over a real gateway.</summary>
[Collection(GatewayCollection.Name)]
public sealed class LiveCommandTests(GatewayServer gateway)
{
    private static readonly string[] Short = ["--duration", "300ms", "--rate", "50", "--targets", "5", "--idle", "120", "--watchers", "20", "--rounds", "1", "--connections", "2"];

    [Fact]
    public async Task Live_RunningGateway_MeasuresAllThree()
    {
        var (_, output) = await RunAsync(["live", "--url", $"{gateway.Url}", "--pids", $"{Environment.ProcessId}", .. Short]);

        foreach (var row in (string[])["5 targets", "one target", "120 idle connections", "120 open at the end", "with 20 watchers", "slower by", "0 not seen"]) output.ShouldContain(row);
    }

    [Theory]
    [InlineData("--targets 201", "--targets")]
    [InlineData("--watchers -1", "--watchers")]
    [InlineData("--idle 10", "--pids")]
    public async Task Live_BadUsage_TeachesAndExitsWith2(string arguments, string expected)
    {
        var (exitCode, output) = await RunAsync(["live", .. arguments.Split(' ')]);

        exitCode.ShouldBe(ExitCode.BadUsage);
        output.ShouldContain(expected);
    }

    [Fact]
    public async Task Live_NobodyListens_ExitsWith1()
    {
        var (exitCode, output) = await RunAsync(["live", "--url", "http://127.0.0.1:1", "--idle", "0"]);

        exitCode.ShouldBe(ExitCode.Failed);
        output.ShouldContain("Cannot watch");
    }

    [Fact]
    public void ArrivalRecord_ConflatedUpdate_SeesAllUpToItsVersion()
    {
        var record = new ArrivalRecord();
        record.Given("a", 1, 100);
        record.Given("a", 2, 200);
        record.Given("a", 4, 300);
        record.Seen("a", 3, 1_000);
        record.Waiting.ShouldBe(1);

        record.Seen("b", 9, 1_000);
        record.Seen("a", 4, 2_000);
        record.Given("a", 4, 3_000);

        record.Waiting.ShouldBe(0);
        record.Latencies.Count.ShouldBe(4);
    }

    [Fact]
    public void VersionIn_Answer_IsFound()
    {
        LiveHearts.VersionIn(Encoding.UTF8.GetBytes("""{"id":"h","version":57,"created":true}""")).ShouldBe(57);
        LiveHearts.VersionIn("{}"u8).ShouldBe(-1);
    }

    [Fact]
    public void ProcessMemory_Rollup_IsRead() =>
        ProcessMemory.Parse(["Rss:   100 kB", "Pss: 50 kB", "Private_Clean:    10 kB", "Private_Dirty:    20 kB"]).ShouldBe(new ProcessMemory(100 * 1024, 30 * 1024));

    private static async Task<(int ExitCode, string Output)> RunAsync(string[] args)
    {
        await using var output = new StringWriter();
        var console = AnsiConsole.Create(new() { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 300;
        var exitCode = await LoadTestCommandLine.RunAsync(args, console, LiveCommand.Create);
        return (exitCode, output.ToString());
    }
}
