using HeartGrains.LoadTest.Limiters;

namespace HeartGrains.Tests.LoadTest;

public sealed class LimiterReportTests
{
    private const int PerSecond = 100;
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private static readonly LimiterCase Window = LimiterCase.All(PerSecond)[1];
    private static readonly LoadPlan Plan = LoadPlan.Create(PerSecond, TimeSpan.FromSeconds(2), bursts: 1);

    [Fact]
    public void Create_Plan_AsksEvenlyAndThenInBursts()
    {
        Plan.Steps.Select(step => step.Kind).ShouldBe(
            [LoadStepKind.Even, LoadStepKind.Rest, LoadStepKind.BusyBurst, LoadStepKind.Rest, LoadStepKind.QuietBurst, LoadStepKind.Rest]);
        Plan.Due.Count.ShouldBe(200 + 125 + 200 + 200);
        Plan.Due.Zip(Plan.Due.Skip(1)).All(pair => pair.First < pair.Second).ShouldBeTrue();
        Plan.Due.Count(due => Plan.Steps[4].Holds(due)).ShouldBe(200);
    }

    [Fact]
    public void LimiterReport_AsTheIdeal_IsAsGood()
    {
        var ideal = IdealLimiter.Of(Window.Policy);
        var report = Report(due => ideal.TryAdmit(due) ? 200 : 429);

        report.AdmittedPerSecond.ShouldBe(PerSecond);
        report.AgainstIdeal(LoadStepKind.Even).ShouldBe(1);
        report.Tolerance(LoadStepKind.QuietBurst).ShouldBe(2);
        report.Tolerance(LoadStepKind.BusyBurst).ShouldBe(report.IdealTolerance(LoadStepKind.BusyBurst));
        report.WorstSecond.ShouldBe(PerSecond);
        report.IsKept.ShouldBeTrue();
        report.Slots().Sum(slot => slot.Admitted).ShouldBe(report.Slots().Sum(slot => slot.Ideal));
    }

    [Fact]
    public void LimiterReport_AdmitsEverything_HasNotKeptItsPromise()
    {
        var report = Report(_ => 200);

        report.AgainstIdeal(LoadStepKind.QuietBurst).ShouldBe(2);
        report.WorstSecond.ShouldBeGreaterThan(PerSecond);
        report.IsKept.ShouldBeFalse();
    }

    [Fact]
    public void LimiterReport_Outages_AreNoDecisions()
    {
        var report = Report(due => due < TimeSpan.FromSeconds(1) ? 503 : 200);

        report.NotJudged.ShouldBe(PerSecond);
        report.AdmittedPerSecond.ShouldBe(PerSecond / 2);
        report.AgainstIdeal(LoadStepKind.Even).ShouldBe(1);
    }

    [Fact]
    public void MostIn_AnswersBeyondTheSpan_DoNotCount()
    {
        QuotaCall[] calls = [Call(0, 10), Call(500, 1_000), Call(600, 1_001), Call(1_001, 1_002)];

        LimiterReport.MostIn(TimeSpan.FromSeconds(1), calls).ShouldBe(3);
        LimiterReport.MostIn(TimeSpan.FromSeconds(1), calls[..3]).ShouldBe(2);
    }

    private static QuotaCall Call(int sent, int answered) => new(default, TimeSpan.FromMilliseconds(sent), TimeSpan.FromMilliseconds(answered), 200);

    private static LimiterReport Report(Func<TimeSpan, int> statusAt) =>
        new(Window, Plan, [.. Plan.Due.Select(due => new QuotaCall(due, due, due + Millisecond, statusAt(due)))], bytesPerUser: 0);
}
