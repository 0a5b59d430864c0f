using System.Text;
using HeartGrains.LoadTest.Http;
using HeartGrains.LoadTest.Overload;

namespace HeartGrains.Tests.LoadTest;

public sealed class PhaseMeasuresTests
{
    private static readonly TimeSpan Goal = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);
    private static readonly long Millisecond = TimeProvider.System.TimestampFrequency / 1_000;

    private readonly PhaseMeasures _measures = new(TimeSpan.FromSeconds(5));

    [Fact]
    public void Add_ThreeKindsOfAnswers_AreKeptApart()
    {
        _measures.Add(due: 0, sent: 30 * Millisecond, ended: 40 * Millisecond, Answer(201));
        _measures.Add(0, 0, 2 * Millisecond, Answer(503, "{\"code\":\"temporary-reduced-capacity\"}"));
        _measures.Add(0, 0, 2 * Millisecond, Answer(503, "{\"code\":\"queue-full\"}"));
        _measures.Add(0, 0, 2 * Millisecond, new(HttpExchange.TimedOut));

        _measures.Admitted.Read().Max.TotalMilliseconds.ShouldBe(10, tolerance: 0.1);
        _measures.AdmittedSinceDue.Read().Max.TotalMilliseconds.ShouldBe(40, tolerance: 0.1);
        _measures.Lateness.Read().Max.TotalMilliseconds.ShouldBe(30, tolerance: 0.1);
        _measures.Refused.Count.ShouldBe(1);
        _measures.Failed.ShouldBe(2);
    }

    [Fact]
    public void CalmAfter_RefusedAtFirst_IsWhenTheLastRefusalsSliceEnded()
    {
        Fill(0, 5_000);
        _measures.Add(300 * Millisecond, 300 * Millisecond, 301 * Millisecond, Answer(503, "\"temporary-reduced-capacity\""));

        _measures.CalmAfter(Goal, Quiet).ShouldBe(TimeSpan.FromMilliseconds(500));
    }

    [Fact]
    public void CalmAfter_SlowUntilLate_IsWhenItWasSlowLast()
    {
        Fill(0, 1_900, latencyMillis: 150);
        Fill(2_000, 5_000);

        _measures.CalmAfter(Goal, Quiet).ShouldBe(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public void CalmAfter_NothingIsAdmitted_IsNever() => _measures.CalmAfter(Goal, Quiet).ShouldBeNull();

    [Fact]
    public void PartUnder_SomeOver_IsTheRest()
    {
        for (var call = 0; call < 100; call++) _measures.Add(0, 0, (call < 10 ? 9 : 1) * Millisecond, Answer(201));

        _measures.Admitted.PartUnder(TimeSpan.FromMilliseconds(5)).ShouldBe(0.9, tolerance: 0.001);
        _measures.Refused.PartUnder(TimeSpan.FromMilliseconds(5)).ShouldBe(1);
    }

    private static HttpAnswer Answer(int status, string body = "") => new(HttpExchange.Answered, status, Encoding.UTF8.GetBytes(body));

    private void Fill(int fromMillis, int toMillis, int latencyMillis = 1)
    {
        for (var at = fromMillis; at < toMillis; at += 10)
            _measures.Add(at * Millisecond, at * Millisecond, (at + latencyMillis) * Millisecond, Answer(201));
    }
}
