using CsCheck;
using HeartGrains.Resilience;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Resilience;

/// <summary>Random schedules of calls, answers in any order and pauses: the breaker does what a plain model does that remembers every call.</summary>
public sealed class BreakerModelTests
{
    private const int Actions = 12;

    private static readonly Gen<BreakerOptions> Rules = Gen
        .Select(Gen.OneOf(Gen.Const("all"), Gen.Const("any"), Gen.Const("failure_rate"), Gen.Const("p95")), Gen.Int[1, 8], Gen.Int[0, 100], Gen.Int[1, 4], Gen.Int[1, 20])
        .Select(static (rule, minimum, percent, probes, window) => new BreakerOptions
        {
            TripOn = rule,
            MinimumCalls = minimum,
            FailureRate = percent / 100.0,
            Probes = probes,
            Window = TimeSpan.FromSeconds(window),
            P95 = TimeSpan.FromMilliseconds(400),
            BreakDuration = TimeSpan.FromSeconds(1),
            MaxBreakDuration = TimeSpan.FromSeconds(5),
            Jitter = 0,
        });

    [Fact]
    public void Breaker_AnySchedule_DoesWhatThePlainModelDoes()
    {
        var steps = Gen.Select(Gen.Frequency((5, Gen.Int[0, 60]), (2, Gen.Int[60, 900]), (1, Gen.Int[900, 8_000])), Gen.Int[0, Actions - 1], Gen.Int[0, 40]).Array[10, 300];
        var states = new int[5];
        Gen.Select(Rules, steps).Sample((rule, schedule) =>
        {
            var time = new FakeTimeProvider();
            var breaker = new Breaker("test", rule, time);
            var model = new Model(rule, time);
            var open = new List<(BreakerTicket Ticket, Model.Ticket Of)>();
            foreach (var (pause, action, pick) in schedule)
            {
                time.Advance(TimeSpan.FromMilliseconds(pause));
                if (action < 6 || open.Count == 0)
                {
                    var expected = model.TryPass();
                    breaker.TryPass(out var ticket, out _).ShouldBe(expected is not null);
                    if (expected is not null) open.Add((ticket, expected));
                }
                else
                {
                    var (ticket, of) = open[pick % open.Count];
                    open.RemoveAt(pick % open.Count);
                    var verdict = action switch { < 9 => CallVerdict.Good, < 11 => CallVerdict.Failed, _ => CallVerdict.Ignored };
                    model.Report(of, verdict);
                    breaker.Report(ticket, verdict);
                }

                // Looked at seldom, so that calls have to find out by themselves.
                if (pick == 0)
                {
                    model.Look();
                    var seen = breaker.Look();
                    seen.State.ShouldBe(model.State);
                    (seen.Reading.Calls, seen.Reading.Failures, seen.Reading.Slow, seen.Reading.Bad).ShouldBe(model.Counts());
                    Interlocked.Increment(ref states[(int)seen.State]);
                }
            }
        }, iter: 3_000);
        states[(int)BreakerState.Closed].ShouldBeGreaterThan(100);
        states[(int)BreakerState.Open].ShouldBeGreaterThan(100);
        states[(int)BreakerState.HalfOpen].ShouldBeGreaterThan(100);
    }

    /// <summary>Remembers calls in a list, and has no counters, slots or phases but a number for each state it was in.</summary>
    private sealed class Model(BreakerOptions rule, FakeTimeProvider time)
    {
        private readonly long _slot = rule.Window.Ticks / BreakerWindow.Slots;
        private readonly List<(long Slot, bool Failed, bool Slow)> _calls = [];
        private int _stay;
        private int _probes;
        private int _successes;
        private int _breaks;
        private DateTimeOffset _until;
        private long _window = time.GetUtcNow().Ticks / (rule.Window.Ticks / BreakerWindow.Slots);
        private DateTimeOffset _nextLook = time.GetUtcNow() + LookPeriodOf(rule);

        public BreakerState State { get; private set; }

        public Ticket? TryPass()
        {
            LookIfDue();
            if (State == BreakerState.Open && time.GetUtcNow() >= _until) Go(BreakerState.HalfOpen);
            if (State == BreakerState.Open || (State == BreakerState.HalfOpen && _probes == 0)) return null;
            if (State == BreakerState.HalfOpen) _probes--;
            return new Ticket(_stay, time.GetUtcNow());
        }

        public void Report(Ticket ticket, CallVerdict verdict)
        {
            if (ticket.Stay != _stay) return;
            if (verdict == CallVerdict.Ignored)
            {
                if (State == BreakerState.HalfOpen) _probes++;
                return;
            }

            var isSlow = time.GetUtcNow() - ticket.At > rule.P95;
            var isFailed = verdict == CallVerdict.Failed;
            if (State == BreakerState.HalfOpen)
            {
                if (isFailed || (isSlow && (rule.TripOn is "any" or "p95"))) Go(BreakerState.Open);
                else if (++_successes == rule.Probes) Go(BreakerState.Closed);
                return;
            }

            _calls.Add((_window, isFailed, isSlow));
            LookIfDue();
        }

        public void Look()
        {
            _window = time.GetUtcNow().Ticks / _slot;
            if (State == BreakerState.Closed && IsTooBad()) Go(BreakerState.Open);
        }

        public (int Calls, int Failures, int Slow, int Bad) Counts()
        {
            var seen = _calls.FindAll(call => call.Slot > _window - BreakerWindow.Slots);
            return (seen.Count, seen.Count(call => call.Failed), seen.Count(call => call.Slow), seen.Count(call => call.Failed || call.Slow));
        }

        private static TimeSpan LookPeriodOf(BreakerOptions rule) =>
            TimeSpan.FromTicks(Math.Min(Breaker.LookPeriod.Ticks, rule.Window.Ticks / BreakerWindow.Slots));

        private void LookIfDue()
        {
            if (time.GetUtcNow() < _nextLook) return;
            _nextLook = time.GetUtcNow() + LookPeriodOf(rule);
            Look();
        }

        private bool IsTooBad()
        {
            var (calls, failures, slow, _) = Counts();
            var fails = failures > rule.FailureRate * calls;
            var drags = slow > calls * 5 / 100;
            return calls >= rule.MinimumCalls && rule.TripOn switch { "all" => fails && drags, "any" => fails || drags, "p95" => drags, _ => fails };
        }

        private void Go(BreakerState state)
        {
            State = state;
            _stay++;
            (_probes, _successes) = (rule.Probes, 0);
            if (state == BreakerState.Closed) (_breaks, _) = (0, _calls.RemoveAll(_ => true));
            if (state == BreakerState.Open) _until = time.GetUtcNow() + TimeSpan.FromSeconds(Math.Min(5, Math.Pow(2, _breaks++)));
        }

        public sealed record Ticket(int Stay, DateTimeOffset At);
    }
}
