using HeartGrains.Resilience;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Resilience;

public sealed class SiloBreakersBoardTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly SiloBreakersBoard _board;

    public SiloBreakersBoardTests() => _board = new SiloBreakersBoard(_time);

    [Fact]
    public void Read_SilosTold_ShowsTheLastOfEachWithItsAge()
    {
        _board.Put(new SiloBreakers("b", []));
        _board.Put(new SiloBreakers("a", []));
        _time.Advance(TimeSpan.FromSeconds(2));
        _board.Put(new SiloBreakers("b", []));
        _board.Read().Select(silo => (silo.Silo, silo.AgeMillis)).ShouldBe([("a", 2_000), ("b", 0)]);
    }

    [Fact]
    public void Read_ASiloTellsNoMore_IsForgottenAfterTenSeconds()
    {
        _board.Put(new SiloBreakers("a", []));
        _time.Advance(TimeSpan.FromSeconds(10));
        _board.Read().Length.ShouldBe(1);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        _board.Read().ShouldBeEmpty();
    }

    [Fact]
    public void Put_TooMany_KeepsThoseItHasUntilTheyAreForgotten()
    {
        for (var silo = 0; silo <= SiloBreakersBoard.Limit; silo++) _board.Put(new SiloBreakers($"{silo}", []));
        _board.Read().Length.ShouldBe(SiloBreakersBoard.Limit);
        _time.Advance(TimeSpan.FromSeconds(11));
        _board.Put(new SiloBreakers("late", []));
        _board.Read().ShouldHaveSingleItem().Silo.ShouldBe("late");
    }
}
