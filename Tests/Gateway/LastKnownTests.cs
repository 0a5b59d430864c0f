using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Gateway;

public sealed class LastKnownTests
{
    private const int Room = 1_000;

    private readonly FakeTimeProvider _time = new();
    private readonly LastKnown _known;

    public LastKnownTests() => _known = new LastKnown(Options.Create(new ResilienceOptions { LastKnownTargets = Room }), _time);

    [Fact]
    public void Note_AnswersOutOfOrder_KeepsTheNewest()
    {
        _known.Note("t", count: 5, version: 8);
        _time.Advance(TimeSpan.FromSeconds(1));
        _known.Note("t", count: 4, version: 7);
        _known.TryFind("t", out var seen).ShouldBeTrue();
        seen.ShouldBe(new KnownHearts(5, 8, _time.GetUtcNow().AddSeconds(-1).Ticks));
        _known.Note("t", count: 5, version: 8);
        _known.TryFind("t", out seen).ShouldBeTrue();
        seen.AsOf.ShouldBe(_time.GetUtcNow().Ticks);
    }

    [Fact]
    public void TryFind_OlderThanAsked_IsNotFound()
    {
        _known.Note("t", count: 5, version: 8);
        _time.Advance(TimeSpan.FromSeconds(10));
        _known.TryFind("t", TimeSpan.FromSeconds(10), out var seen).ShouldBeTrue();
        seen.Count.ShouldBe(5);
        _time.Advance(TimeSpan.FromTicks(1));
        _known.TryFind("t", TimeSpan.FromSeconds(10), out _).ShouldBeFalse();
        _known.TryFind("t", TimeSpan.MaxValue, out _).ShouldBeTrue();
    }

    [Fact]
    public void Note_OpeningTold_IsKeptByHeartsThatDoNotTellIt()
    {
        _known.Note("t", new HeartState(HeartOutcome.Committed, 0, 0, null, Opening: 7));
        _known.TryFind("t", out var opened).ShouldBeTrue();
        (opened.Count, opened.Version, opened.Opening).ShouldBe((0, 0, 7));

        _known.Note("t", count: 1, version: 1);
        _known.TryFind("t", out var given).ShouldBeTrue();
        (given.Count, given.Opening).ShouldBe((1, 7));

        _known.Note("t", new HeartState(HeartOutcome.Committed, 1, 1, null));
        _known.TryFind("t", out var closed).ShouldBeTrue();
        closed.Opening.ShouldBe(0);
    }

    [Fact]
    public void Note_TargetWithoutAHistory_TakesNoPlace()
    {
        _known.Note("t", count: 0, version: 0);
        _known.TryFind("t", out _).ShouldBeFalse();
    }

    [Fact]
    public void Note_MoreTargetsThanThereIsRoomFor_ForgetsThoseHeardOfLongestAgo()
    {
        for (var target = 0; target < Room * 20; target++)
        {
            _known.Note($"t{target}", target, 1);
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        var found = Enumerable.Range(0, Room * 20).Where(target => _known.TryFind($"t{target}", out _)).ToArray();
        found.Length.ShouldBeInRange(Room * 9 / 10, Room * 11 / 10);
        found.Average().ShouldBeGreaterThan(Room * 18);
        foreach (var target in found)
        {
            _known.TryFind($"t{target}", out var seen).ShouldBeTrue();
            seen.Count.ShouldBe(target);
        }
    }
}
