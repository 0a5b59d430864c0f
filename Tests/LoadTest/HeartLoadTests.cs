using System.Diagnostics;
using System.Net;
using HeartGrains.LoadTest.Hearts;
using HeartGrains.LoadTest.Report;

namespace HeartGrains.Tests.LoadTest;

public sealed class HeartLoadTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task RunAsync_TwoServers_LoadsBothAndReports()
    {
        await using var first = await HeartServer.StartAsync();
        await using var second = await HeartServer.StartAsync();
        using var process = Process.GetCurrentProcess();
        var options = new HeartLoadOptions
        {
            Urls = [first.Url, second.Url],
            Duration = TimeSpan.FromSeconds(2),
            Connections = 4,
            Targets = 50,
            Users = 1000,
            ProcessIds = [process.Id],
        };

        var report = await HeartLoad.RunAsync(options, cancellationToken: TestContext.Current.CancellationToken);

        report.Answers.Keys.ShouldBe([200, 201], ignoreOrder: true);
        report.Succeeded.ShouldBe(report.Answered);
        report.Timeline.Counts.ToArray().Sum().ShouldBe((int)report.Succeeded);
        report.Elapsed.ShouldBeGreaterThanOrEqualTo(options.Duration);
        report.RequestsPerSecond.ShouldBeGreaterThan(0);
        report.Latencies.P50.ShouldBeGreaterThan(TimeSpan.Zero);
        report.Latencies.Max.ShouldBeGreaterThanOrEqualTo(report.Latencies.P999);
        report.Processes.ShouldHaveSingleItem().Cpu.ShouldNotBeNull().ShouldBeGreaterThan(TimeSpan.Zero);
        report.History.ShouldBeNull();
    }

    [Fact]
    public async Task RunAsync_PacedFromAnAddress_AsksNoMoreOftenAndFromThere()
    {
        await using var server = await HeartServer.StartAsync();
        var options = new HeartLoadOptions
        {
            Urls = [server.Url],
            Duration = TimeSpan.FromMilliseconds(500),
            Connections = 4,
            RequestsPerSecond = 40,
            From = IPAddress.Parse("127.0.0.2"),
        };

        var report = await HeartLoad.RunAsync(options, cancellationToken: TestContext.Current.CancellationToken);

        report.Answered.ShouldBeInRange(1, 20);
        server.Callers.ShouldBe([new("127.0.0.2", (int)report.Answered)]);
    }

    [Fact]
    public async Task RunAsync_SlowPace_EndsInTime()
    {
        await using var server = await HeartServer.StartAsync();
        var options = new HeartLoadOptions { Urls = [server.Url], Duration = TimeSpan.FromMilliseconds(300), Connections = 8, RequestsPerSecond = 1 };
        var report = await HeartLoad.RunAsync(options, cancellationToken: TestContext.Current.CancellationToken);
        report.Answered.ShouldBe(1);
        report.Elapsed.ShouldBeLessThan(Minute / 10);
    }

    [Fact]
    public async Task RunAsync_Cancelled_EndsEarlyWithAReport()
    {
        await using var server = await HeartServer.StartAsync();
        using var stop = new CancellationTokenSource();
        var options = new HeartLoadOptions { Urls = [server.Url], Duration = TimeSpan.FromHours(1), Connections = 2 };

        var report = await HeartLoad.RunAsync(options, new Callback(at => stop.Cancel()), stop.Token);

        report.Elapsed.ShouldBeLessThan(Minute);
        report.Succeeded.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task RunAsync_NobodyListens_CountsAttemptsAndRecordsNothing()
    {
        var options = new HeartLoadOptions
        {
            Urls = [new Uri("http://127.0.0.1:1")],
            Duration = TimeSpan.FromMilliseconds(200),
            Connections = 2,
            KeepHistory = true,
        };

        var report = await HeartLoad.RunAsync(options, cancellationToken: TestContext.Current.CancellationToken);

        report.NotConnected.ShouldBeInRange(2, 20);
        report.Answered.ShouldBe(0);
        report.History!.ToSorted().ShouldBeEmpty();
        report.Timeline.LongestGap.ShouldBe(report.Elapsed);
    }

    [Fact]
    public async Task RunAsync_ServerNeverAnswersSome_TimesOutAndGoesOn()
    {
        await using var server = await HeartServer.StartAsync(HeartServerFault.NeverAnswers);
        var options = new HeartLoadOptions
        {
            Urls = [server.Url],
            Duration = Minute,
            Connections = 2,
            KeepHistory = true,
            HistoryLimit = 3000,
            RequestTimeout = TimeSpan.FromMilliseconds(50),
        };

        var report = await HeartLoad.RunAsync(options, cancellationToken: TestContext.Current.CancellationToken);

        report.TimedOut.ShouldBeGreaterThan(0);
        report.Succeeded.ShouldBeGreaterThan(1000);
        report.HistoryWasFull.ShouldBeTrue();
        report.History!.ToSorted().Count(packed => HeartAttempt.Unpack(packed).Fate == HeartFate.Unknown).ShouldBe((int)report.TimedOut);
    }

    [Fact]
    public async Task RunAsync_OutageInTheMiddle_ShowsTheGapAndTheFirstSuccessAfterIt()
    {
        await using var server = await HeartServer.StartAsync();
        using var stop = new CancellationTokenSource();
        var options = new HeartLoadOptions { Urls = [server.Url], Duration = Minute, Connections = 2, Targets = 3, Backoff = TimeSpan.FromMilliseconds(10) };
        var (began, ended) = (0L, 0L);
        long succeededBefore = 0;

        var report = await HeartLoad.RunAsync(options, new Callback(at =>
        {
            if (began == 0)
            {
                (server.Refuses, began) = (true, TimeProvider.System.GetTimestamp());
            }
            else if (ended == 0)
            {
                (server.Refuses, ended, succeededBefore) = (false, TimeProvider.System.GetTimestamp(), at.Succeeded);
            }
            else if (at.Succeeded > succeededBefore)
            {
                stop.Cancel();
            }
        }), stop.Token);

        var outage = TimeProvider.System.GetElapsedTime(began, ended);
        report.Answers.Keys.ShouldContain(503);
        report.Timeline.LongestGap.ShouldBeGreaterThan(outage / 2);
        report.Outages.Longest.ShouldBeGreaterThan(outage / 2);
        report.Timeline.FirstSuccessAfter(began).ShouldNotBeNull().ShouldBeGreaterThan(outage / 2);
        report.Timeline.Counts.ToArray().ShouldContain(0);
    }

    private sealed class Callback(Action<HeartLoadProgress> report) : IProgress<HeartLoadProgress>
    {
        public void Report(HeartLoadProgress value) => report(value);
    }
}
