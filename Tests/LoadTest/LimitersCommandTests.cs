using HeartGrains.LoadTest;
using HeartGrains.LoadTest.Limiters;
using HeartGrains.Tests.Gateway;
using Spectre.Console;

namespace HeartGrains.Tests.LoadTest;

[Collection(GatewayCollection.Name)]
public sealed class LimitersCommandTests(GatewayServer server)
{
    [Theory]
    [InlineData("--rate 5", "10,000")]
    [InlineData("--even soon", "10s")]
    [InlineData("--bursts 0", "--bursts")]
    [InlineData("--connections many", "--connections")]
    [InlineData("--chart limiters.png", "limiters.svg")]
    [InlineData("--chart /no/such/folder/limiters.svg", "a folder that exists")]
    [InlineData("--algorithm guess", "--algorithm")]
    public async Task Limiters_BadUsage_TeachesAndExitsWith2(string arguments, string expected)
    {
        await using var output = new StringWriter();
        var console = AnsiConsole.Create(new() { Ansi = AnsiSupport.No, Interactive = InteractionSupport.No, Out = new AnsiConsoleOutput(output) });
        console.Profile.Width = 160;

        var exitCode = await LoadTestCommandLine.RunAsync(["limiters", .. arguments.Split(' ')], console, LimitersCommand.Create);

        exitCode.ShouldBe(ExitCode.BadUsage);
        output.ToString().ShouldContain(expected);
    }

    [Fact]
    public async Task RunAsync_RealGateway_JudgesEveryCallAndIsDrawn()
    {
        const int PerSecond = 200;
        var plan = LoadPlan.Steady(PerSecond, TimeSpan.FromSeconds(1));

        var calls = await LimiterLoad.RunAsync(server.Url, HeartClient.Fresh("u"), plan, connections: 16, cancellationToken: TestContext.Current.CancellationToken);

        // The gateway's own policy: 60 tokens and one back each second, some of which may come back meanwhile.
        calls.Count.ShouldBe(PerSecond);
        calls.ShouldAllBe(call => call.IsJudged && call.Sent >= call.Due && call.Answered > call.Sent);
        calls.Count(call => call.IsAdmitted).ShouldBeInRange(60, 65);
        var chart = LimiterChart.Draw([new LimiterReport(LimiterCase.All(PerSecond)[0], plan, calls, bytesPerUser: 0)]);
        System.Xml.Linq.XDocument.Parse(chart).Root!.Name.LocalName.ShouldBe("svg");
        chart.ShouldContain("token bucket");
    }
}
