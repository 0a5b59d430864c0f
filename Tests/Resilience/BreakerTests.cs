using HeartGrains.Resilience;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Resilience;

public sealed class BreakerTests
{
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(801);
    private static readonly TimeSpan Fast = TimeSpan.FromMilliseconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _changes = [];

    [Fact]
    public void Closed_Open_HalfOpen_Closed()
    {
        var breaker = New();
        Call(breaker, 20, Slow, CallVerdict.Failed);
        breaker.Look().State.ShouldBe(BreakerState.Open);
        breaker.TryPass(out _, out var retryAfter).ShouldBeFalse();
        retryAfter.ShouldBe(TimeSpan.FromSeconds(2));

        _time.Advance(TimeSpan.FromMilliseconds(1_999));
        breaker.TryPass(out _, out retryAfter).ShouldBeFalse();
        retryAfter.ShouldBe(TimeSpan.FromMilliseconds(1));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        breaker.TryPass(out var probe, out _).ShouldBeTrue();
        breaker.Look().State.ShouldBe(BreakerState.HalfOpen);
        breaker.TryPass(out _, out _).ShouldBeFalse();
        breaker.Report(probe, CallVerdict.Good);
        breaker.Look().State.ShouldBe(BreakerState.Closed);
        breaker.Rejected.ShouldBe(3);
        _changes.ShouldBe(["Closed>Open: 20 of 20 calls failed (100.0 %), P95 819 ms", "Open>HalfOpen: the break is over", "HalfOpen>Closed: the probes succeeded"]);
    }

    [Fact]
    public void Report_ProbeFails_OpensForTwiceAsLongUpToTheCap()
    {
        var breaker = New(new BreakerOptions { Jitter = 0, BreakDuration = TimeSpan.FromSeconds(1), MaxBreakDuration = TimeSpan.FromSeconds(3) });
        Call(breaker, 20, Slow, CallVerdict.Failed);
        foreach (var seconds in (double[])[1, 2, 3, 3])
        {
            breaker.TryPass(out _, out var retryAfter).ShouldBeFalse();
            retryAfter.ShouldBe(TimeSpan.FromSeconds(seconds));
            _time.Advance(retryAfter);
            breaker.TryPass(out var probe, out _).ShouldBeTrue();
            breaker.Report(probe, CallVerdict.Failed);
        }

        _time.Advance(TimeSpan.FromSeconds(3));
        Call(breaker, 1, Fast, CallVerdict.Good);

        // Closed once, it starts again with the first break.
        Call(breaker, 20, Slow, CallVerdict.Failed);
        breaker.TryPass(out _, out var first).ShouldBeFalse();
        first.ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void Report_AnswerOfAnEarlierState_IsIgnored()
    {
        var breaker = New();
        breaker.TryPass(out var late, out _).ShouldBeTrue();
        Call(breaker, 20, Slow, CallVerdict.Failed);
        _time.Advance(TimeSpan.FromSeconds(2));
        breaker.TryPass(out var probe, out _).ShouldBeTrue();
        breaker.Report(late, CallVerdict.Good);
        breaker.Look().State.ShouldBe(BreakerState.HalfOpen);
        breaker.Report(late, CallVerdict.Failed);
        breaker.Look().State.ShouldBe(BreakerState.HalfOpen);
        breaker.Report(probe, CallVerdict.Good);
        breaker.Report(probe, CallVerdict.Failed);
        breaker.Report(late, CallVerdict.Failed);
        breaker.Look().State.ShouldBe(BreakerState.Closed);
        breaker.Look().Reading.Calls.ShouldBe(0);
    }

    [Fact]
    public void Report_ProbeWhoseCallerWentAway_LeavesItsPlaceToAnother()
    {
        var breaker = Opened();
        _time.Advance(TimeSpan.FromSeconds(2));
        breaker.TryPass(out var probe, out _).ShouldBeTrue();
        breaker.TryPass(out _, out _).ShouldBeFalse();
        breaker.Report(probe, CallVerdict.Ignored);
        breaker.Look().State.ShouldBe(BreakerState.HalfOpen);
        breaker.TryPass(out _, out _).ShouldBeTrue();
    }

    [Fact]
    public void Report_SeveralProbes_ClosesWhenAllSucceedAndOpensWhenOneFails()
    {
        var breaker = Opened(new BreakerOptions { Probes = 3, Jitter = 0 });
        _time.Advance(TimeSpan.FromSeconds(2));
        var probes = new BreakerTicket[3];
        for (var i = 0; i < 3; i++) breaker.TryPass(out probes[i], out _).ShouldBeTrue();
        breaker.TryPass(out _, out _).ShouldBeFalse();
        breaker.Report(probes[0], CallVerdict.Good);
        breaker.Report(probes[1], CallVerdict.Good);
        breaker.TryPass(out _, out _).ShouldBeFalse();
        breaker.Look().State.ShouldBe(BreakerState.HalfOpen);
        breaker.Report(probes[2], CallVerdict.Failed);
        breaker.Look().State.ShouldBe(BreakerState.Open);

        _time.Advance(TimeSpan.FromSeconds(4));
        for (var i = 0; i < 3; i++) breaker.TryPass(out probes[i], out _).ShouldBeTrue();
        foreach (var probe in probes) breaker.Report(probe, CallVerdict.Good);
        breaker.Look().State.ShouldBe(BreakerState.Closed);
    }

    [Fact]
    public async Task TryPass_AHundredAtOnceInHalfOpen_LetsOneThrough()
    {
        for (var round = 0; round < 50; round++)
        {
            var breaker = Opened();
            _time.Advance(TimeSpan.FromSeconds(2));
            using var ready = new Barrier(100);
            var passed = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    ready.SignalAndWait();
                    return breaker.TryPass(out var _, out var _);
                },
                TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
            passed.Count(static pass => pass).ShouldBe(1);
        }
    }

    [Theory]
    [InlineData("all", 20, 20, 0, 0, true)]
    [InlineData("all", 20, 0, 20, 0, false)]
    [InlineData("all", 20, 0, 0, 20, false)]
    [InlineData("any", 20, 0, 20, 0, true)]
    [InlineData("any", 20, 0, 0, 20, true)]
    [InlineData("any", 400, 0, 0, 20, false)]
    [InlineData("any", 400, 0, 0, 21, true)]
    [InlineData("any", 400, 0, 20, 0, false)]
    [InlineData("any", 400, 0, 21, 0, true)]
    [InlineData("failure_rate", 20, 0, 20, 0, true)]
    [InlineData("failure_rate", 20, 0, 0, 20, false)]
    [InlineData("p95", 20, 0, 0, 20, true)]
    [InlineData("p95", 20, 0, 20, 0, false)]
    [InlineData("all", 100, 0, 6, 6, true)]
    [InlineData("all", 100, 0, 6, 5, false)]
    [InlineData("all", 100, 0, 5, 6, false)]
    [InlineData("all", 19, 19, 0, 0, false)]
    public void Look_CallsOfAWindow_OpenAsTheRuleSays(string rule, int calls, int slowFailures, int fastFailures, int slow, bool opens)
    {
        var breaker = New(new BreakerOptions { TripOn = rule, MinimumCalls = 20 });

        // All at once, so that the window is looked at when all have been reported.
        var tickets = new BreakerTicket[calls];
        for (var i = 0; i < calls; i++) breaker.TryPass(out tickets[i], out _).ShouldBeTrue();
        var next = 0;
        for (var i = 0; i < fastFailures; i++) breaker.Report(tickets[next++], CallVerdict.Failed);
        while (next < calls - slowFailures - slow) breaker.Report(tickets[next++], CallVerdict.Good);
        _time.Advance(Slow);
        for (var i = 0; i < slowFailures; i++) breaker.Report(tickets[next++], CallVerdict.Failed);
        while (next < calls) breaker.Report(tickets[next++], CallVerdict.Good);
        breaker.Look().State.ShouldBe(opens ? BreakerState.Open : BreakerState.Closed);
    }

    [Fact]
    public void Look_FailuresOlderThanTheWindow_AreForgotten()
    {
        var breaker = New(new BreakerOptions { TripOn = "failure_rate", Window = TimeSpan.FromSeconds(5), MinimumCalls = 10 });
        Call(breaker, 9, Fast, CallVerdict.Failed);
        breaker.Look().Reading.Failures.ShouldBe(9);
        _time.Advance(TimeSpan.FromSeconds(4.8));
        breaker.Look().Reading.Failures.ShouldBeGreaterThan(0);
        _time.Advance(TimeSpan.FromSeconds(0.3));
        breaker.Look().Reading.ShouldBe(default);
        Call(breaker, 9, Fast, CallVerdict.Failed);
        breaker.Look().State.ShouldBe(BreakerState.Closed);
        Call(breaker, 1, Fast, CallVerdict.Failed);
        breaker.Look().State.ShouldBe(BreakerState.Open);
    }

    [Fact]
    public void TryPass_WindowTurnedBad_TurnsAwayAtMostAHundredMillisecondsLate()
    {
        var breaker = New(new BreakerOptions { TripOn = "failure_rate" });
        for (var call = 0; call < 20; call++)
        {
            breaker.TryPass(out var ticket, out _).ShouldBeTrue();
            breaker.Report(ticket, CallVerdict.Failed);
        }

        _time.Advance(Breaker.LookPeriod);
        breaker.TryPass(out _, out _).ShouldBeFalse();
    }

    /// <summary>The two examples: a window of 5 s with 25 % failures and a break of 15 s, and a P95 over 800 ms alone.</summary>
    [Fact]
    public void Look_TheTwoExamples_OpenAsDescribed()
    {
        var users = New(new BreakerOptions { Window = TimeSpan.FromSeconds(5), TripOn = "failure_rate", FailureRate = 0.25, BreakDuration = TimeSpan.FromSeconds(15), Jitter = 0 });
        Call(users, 15, TimeSpan.Zero, CallVerdict.Good);
        Call(users, 5, TimeSpan.Zero, CallVerdict.Failed);
        users.Look().State.ShouldBe(BreakerState.Closed);
        Call(users, 1, TimeSpan.Zero, CallVerdict.Failed);
        users.Look().State.ShouldBe(BreakerState.Open);
        users.Look().NextAttempt.ShouldBe(TimeSpan.FromSeconds(15));

        var risk = New(new BreakerOptions { TripOn = "p95" });
        Call(risk, 20, TimeSpan.FromMilliseconds(800), CallVerdict.Good);
        risk.Look().State.ShouldBe(BreakerState.Closed);
        Call(risk, 2, Slow, CallVerdict.Good);
        risk.Look().State.ShouldBe(BreakerState.Open);

        // There, an answer that is only slow does not close it.
        _time.Advance(TimeSpan.FromSeconds(3));
        Call(risk, 1, Slow, CallVerdict.Good);
        risk.Look().State.ShouldBe(BreakerState.Open);
    }

    [Fact]
    public void IsDegraded_TooFewGoodAnswersInTime_ComesBeforeItOpens()
    {
        var breaker = New(new BreakerOptions { FailureRate = 0.5 });
        Call(breaker, 95, Fast, CallVerdict.Good);
        Call(breaker, 5, Slow, CallVerdict.Good);
        breaker.IsDegraded.ShouldBeFalse();
        Call(breaker, 1, Fast, CallVerdict.Failed);
        breaker.IsDegraded.ShouldBeTrue();
        breaker.Look().State.ShouldBe(BreakerState.Closed);
        _time.Advance(TimeSpan.FromSeconds(61));
        breaker.IsDegraded.ShouldBeFalse();
        Opened().IsDegraded.ShouldBeFalse();
    }

    [Fact]
    public void Report_Reached_EndsABreakAndCountsForNothingElse()
    {
        var breaker = New();
        Call(breaker, 100, Slow, CallVerdict.Reached);
        breaker.Look().Reading.Calls.ShouldBe(0);

        breaker = Opened();
        _time.Advance(TimeSpan.FromMinutes(1));
        Call(breaker, 1, Slow, CallVerdict.Reached);
        breaker.Look().State.ShouldBe(BreakerState.Closed);
    }

    [Fact]
    public void WouldPass_InEachState_SaysWhatTryPassWouldAndTakesNothing()
    {
        New().WouldPass(out _).ShouldBeTrue();
        var breaker = Opened();
        breaker.WouldPass(out var retryAfter).ShouldBeFalse();
        retryAfter.ShouldBe(breaker.Look().NextAttempt!.Value);
        breaker.Look().Rejected.ShouldBe(1);
        _time.Advance(TimeSpan.FromMinutes(1));
        for (var i = 0; i < 3; i++) breaker.WouldPass(out _).ShouldBeTrue();
        breaker.TryPass(out var probe, out _).ShouldBeTrue();
        breaker.WouldPass(out _).ShouldBeFalse();
        breaker.Report(probe, CallVerdict.Good);
        breaker.WouldPass(out _).ShouldBeTrue();
        breaker.Force(BreakerState.ForcedOpen, TimeSpan.FromMinutes(1), "drill");
        breaker.WouldPass(out _).ShouldBeFalse();
        breaker.Force(BreakerState.ForcedClosed, TimeSpan.FromMinutes(1), "drill");
        breaker.WouldPass(out _).ShouldBeTrue();
    }

    [Fact]
    public void Force_OpenForAWhile_TurnsAwayUntilThenAndSaysWhy()
    {
        var breaker = New();
        breaker.Force(BreakerState.ForcedOpen, TimeSpan.FromMinutes(10), "maintenance");
        breaker.TryPass(out _, out var retryAfter).ShouldBeFalse();
        retryAfter.ShouldBe(TimeSpan.FromMinutes(10));
        breaker.Look().Reason.ShouldBe("maintenance");
        _time.Advance(TimeSpan.FromMinutes(10));
        breaker.TryPass(out _, out _).ShouldBeTrue();
        breaker.Look().State.ShouldBe(BreakerState.Closed);
    }

    [Fact]
    public void Force_ClosedForAWhile_LetsPassWhateverHappens()
    {
        var breaker = Opened();
        breaker.Force(BreakerState.ForcedClosed, TimeSpan.FromMinutes(1), "drill");
        Call(breaker, 30, Slow, CallVerdict.Failed);
        breaker.Look().State.ShouldBe(BreakerState.ForcedClosed);
        breaker.Force(BreakerState.Closed, default, "over");
        breaker.Look().State.ShouldBe(BreakerState.Closed);
        breaker.Look().Reading.Calls.ShouldBe(0);
        breaker.Force(BreakerState.Closed, default, "again");
        _changes[^1].ShouldBe("ForcedClosed>Closed: over");
    }

    [Theory]
    [InlineData(1, 0.0, 1.6)]
    [InlineData(1, 0.5, 2.0)]
    [InlineData(1, 1.0, 2.4)]
    [InlineData(3, 0.5, 8.0)]
    [InlineData(5, 0.0, 24.0)]
    [InlineData(5, 1.0, 30.0)]
    [InlineData(1_000_000, 0.5, 30.0)]
    public void BreakNumber_GrowsWithJitterUpToTheCap(int breaks, double chance, double seconds) =>
        new BreakerOptions().BreakNumber(breaks, chance).TotalSeconds.ShouldBe(seconds, 1e-9);

    private Breaker New(BreakerOptions? options = null) =>
        new("test", options ?? new BreakerOptions { Jitter = 0 }, _time) { Changed = change => _changes.Add($"{change.From}>{change.To}: {change.Reason}") };

    private Breaker Opened(BreakerOptions? options = null)
    {
        var breaker = New(options);
        Call(breaker, 20, Slow, CallVerdict.Failed);
        breaker.Look().State.ShouldBe(BreakerState.Open);
        return breaker;
    }

    /// <summary>Calls that pass at once and are answered together; then the window is looked at.</summary>
    private void Call(Breaker breaker, int calls, TimeSpan latency, CallVerdict verdict)
    {
        var tickets = new BreakerTicket[calls];
        for (var i = 0; i < calls; i++) breaker.TryPass(out tickets[i], out _).ShouldBeTrue();
        _time.Advance(latency);
        foreach (var ticket in tickets) breaker.Report(ticket, verdict);
        breaker.Look();
    }
}
