using HeartGrains.LoadTest.Recovery;

namespace HeartGrains.Tests.LoadTest;

public sealed class RecoverySimulationTests
{
    private static readonly RecoveryModel Plain = RecoveryModel.All[0];
    private static readonly RecoveryModel Ours = RecoveryModel.All[1];
    private static readonly RecoveryModel Busy = RecoveryModel.All[2];

    [Fact]
    public void Simulate_SameSeed_IsTheSameAgain()
    {
        foreach (var model in RecoveryModel.All)
        {
            var first = Figures(RecoveryReport.Simulate(model, 20, seed: 7));
            Figures(RecoveryReport.Simulate(model, 20, seed: 7)).ShouldBe(first);
            Figures(RecoveryReport.Simulate(model, 20, seed: 8)).ShouldNotBe(first);
        }
    }

    /// <summary>As docs/resilience.md has them.</summary>
    [Fact]
    public void Simulate_AsDelivered_ReachesTheAims()
    {
        var reports = RecoveryModel.All.Where(static model => model.Gateway == GatewayRules.Delivered)
            .Select(static model => RecoveryReport.Simulate(model, 1_000, seed: 1)).ToList();
        reports.Count.ShouldBe(2);
        RecoveryCommand.AreAimsReached(reports).ShouldBeTrue();
    }

    /// <summary>Without jitter: attempts at 0, 105, 310, 715, 1,520, 3,125, 6,330 and 11,335 ms, each answered in 5 ms, and anew at 12,340 ms.</summary>
    [Theory]
    [InlineData(1, 2, 1, 105)]
    [InlineData(200, 3, 1, 310)]
    [InlineData(3_000, 6, 1, 3_125)]
    [InlineData(6_331, 8, 1, 11_335)]
    [InlineData(11_336, 9, 2, 12_340)]
    public void Run_PlainBackoff_SendsAsComputedByHand(int wellAt, int requests, int operations, int successAt)
    {
        var trace = Plain.Run(Down(wellAt), new FixedChance(0.5, begin: 0))[0];
        trace.Requests.ShouldBe(requests);
        trace.Operations.ShouldBe(operations);
        trace.TimeToRecover.TotalMilliseconds.ShouldBe(successAt + 5 - wellAt);
    }

    /// <summary>Without jitter: four attempts at 0, 105, 310 and 715 ms; the silo is asked at 1,520, and the caller comes back two seconds after it said no.</summary>
    [Theory]
    [InlineData(700, 700, 4, 1, 0, 715)]
    [InlineData(1_400, 1_500, 5, 1, 1, 1_525)]
    [InlineData(1_400, 1_600, 5, 2, 1, 3_525)]
    [InlineData(4_000, 4_500, 8, 2, 1, 4_240)]
    public void Run_Ours_SendsAsComputedByHand(int wellAt, int readyAt, int requests, int operations, int probes, int successAt)
    {
        var trace = Ours.Run(Down(wellAt, readyAt), new FixedChance(0.5, begin: 0))[0];
        trace.Requests.ShouldBe(requests);
        trace.Operations.ShouldBe(operations);
        trace.Probes.ShouldBe(probes);
        trace.TimeToRecover.TotalMilliseconds.ShouldBe(successAt + 5 - wellAt);
    }

    [Fact]
    public void Run_ServiceNeverFails_RecoversWithOneRequestEach()
    {
        foreach (var model in RecoveryModel.All)
        {
            var traces = model.Run(Down(0), new Random(1));
            traces.Count.ShouldBe(model.Callers);
            traces.ShouldAllBe(static trace => trace.Requests == 1 && trace.Operations == 1 && trace.Probes == 0 && trace.TimeToRecover == Outage.AnswerTime);
        }
    }

    [Fact]
    public void Run_AHundredCallers_ShareOneBudget()
    {
        var traces = Busy.Run(Down(10_000), new Random(1));
        var (requests, operations) = (traces.Sum(static trace => trace.Requests), traces.Sum(static trace => trace.Operations));
        (requests - operations).ShouldBeInRange(1, 10 + (operations / 10));
    }

    [Fact]
    public void RecoveryReport_Traces_GiveTheFigures()
    {
        var report = new RecoveryReport(
            Plain,
            [
                new CallerTrace { TimeToRecover = TimeSpan.FromSeconds(1), Requests = 6, Operations = 2, Probes = 3, ReadyProbes = 2, RightProbes = 1 },
                new CallerTrace { TimeToRecover = TimeSpan.FromSeconds(3), Requests = 2, Operations = 2, Probes = 1 },
            ]);
        report.Mean.ShouldBe(TimeSpan.FromSeconds(2));
        report.Percentile(0.5).ShouldBe(TimeSpan.FromSeconds(1));
        report.Percentile(0.95).ShouldBe(TimeSpan.FromSeconds(3));
        report.RequestsPerOperation.ShouldBe(2);
        report.RequestsPerRecovery.ShouldBe(4);
        report.ProbesPerOperation.ShouldBe(1);
        report.ReadyShare.ShouldBe(0.5);
        report.ProbeSuccess.ShouldBe(0.5);
        report.RecoveredWithin(TimeSpan.FromSeconds(0.9)).ShouldBe(0);
        report.RecoveredWithin(TimeSpan.FromSeconds(1)).ShouldBe(0.5);
        report.RecoveredWithin(TimeSpan.FromSeconds(3)).ShouldBe(1);
    }

    [Fact]
    public void Draw_Reports_AreAnSvgThatNamesEach()
    {
        var reports = RecoveryModel.All.Select(static model => RecoveryReport.Simulate(model, 3, seed: 1)).ToList();
        var chart = RecoveryChart.Draw(reports, seed: 1);
        System.Xml.Linq.XDocument.Parse(chart).Root!.Name.LocalName.ShouldBe("svg");
        foreach (var report in reports) chart.ShouldContain(report.Model.Name);
    }

    private static Outage Down(int wellAt, int? readyAt = null) =>
        new(TimeSpan.FromMilliseconds(wellAt), TimeSpan.FromMilliseconds(readyAt ?? wellAt), FailureRate: 0);

    private static (TimeSpan, double, double, double?) Figures(RecoveryReport report) =>
        (report.Mean, report.RequestsPerOperation, report.ProbesPerOperation, report.ProbeSuccess);

    /// <summary>Says first when the caller comes, then always the same.</summary>
    private sealed class FixedChance(double chance, double begin) : Random
    {
        private bool _hasBegun;

        public override double NextDouble()
        {
            if (_hasBegun) return chance;
            _hasBegun = true;
            return begin;
        }
    }
}
