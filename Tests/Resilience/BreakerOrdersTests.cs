using HeartGrains.Resilience;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.Resilience;

public sealed class BreakerOrdersTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly BreakerOrders _orders;

    public BreakerOrdersTests() => _orders = new BreakerOrders(_time);

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    [Fact]
    public void Set_ClockWentBack_RevisionGrowsAllTheSame()
    {
        _orders.Merge(Stored("hearts", "of a clock ahead", Now + 60_000));
        _orders.Set(Order("hearts", "ours")).Revision.ShouldBe(Now + 60_001);
    }

    [Fact]
    public void Merge_StoredIsEarlier_OursStaysAndIsToBeStored()
    {
        _orders.Set(Order("hearts", "ours"));
        _orders.Merge(Stored("hearts", "theirs", Now - 1));
        ReasonOf("hearts").ShouldBe("ours");
        _orders.AreStored.ShouldBeFalse();
    }

    [Fact]
    public void Merge_StoredIsLaterAndOursIsOld_TheirsComes()
    {
        _orders.Set(Order("hearts", "ours"));
        _time.Advance(TimeSpan.FromMinutes(1));
        _orders.Merge(Stored("hearts", "theirs", Now));
        ReasonOf("hearts").ShouldBe("theirs");
        _orders.AreStored.ShouldBeTrue();
    }

    /// <summary>The other's clock may be ahead; what an operator asked for a moment ago is not lost to it.</summary>
    [Fact]
    public void Merge_StoredIsLaterAndOursWasJustSet_OursComesAgainAsNews()
    {
        var set = _orders.Set(Order("hearts", "ours"));
        _orders.Merge(Stored("hearts", "theirs", Now + 500));
        var order = _orders.Read().ShouldHaveSingleItem();
        (order.Reason, order.Revision).ShouldBe(("ours", Now + 501));
        _orders.RevisionOf("hearts", set).ShouldBe(Now + 501);
        _orders.AreStored.ShouldBeFalse();
    }

    [Fact]
    public void Merge_OursIsWhatIsStored_NothingIsLeftToDo()
    {
        _orders.Set(Order("hearts", "ours"));
        var revision = _orders.Read().Single().Revision;
        _orders.Merge(_orders.ToState());
        _orders.AreStored.ShouldBeTrue();
        _orders.Read().Single().Revision.ShouldBe(revision);
    }

    [Fact]
    public void Merge_OursIsNotThere_IsToBeStored()
    {
        _orders.Set(Order("hearts", "ours"));
        _orders.Stored(_orders.ToState());
        _orders.Merge(Stored("quota", "theirs", Now));
        (ReasonOf("hearts"), ReasonOf("quota")).ShouldBe(("ours", "theirs"));
        _orders.AreStored.ShouldBeFalse();
    }

    [Fact]
    public void Stored_AnotherWasSetMeanwhile_ItIsToBeStored()
    {
        _orders.Set(Order("hearts", "first"));
        var state = _orders.ToState();
        _orders.Set(Order("hearts", "second"));
        _orders.Stored(state);
        _orders.AreStored.ShouldBeFalse();
    }

    /// <summary>Two orders at a time: the earlier must not be followed under the later's revision.</summary>
    [Fact]
    public void RevisionOf_AnotherWasSetMeanwhile_IsItsOwn()
    {
        var first = _orders.Set(Order("hearts", "first"));
        var second = _orders.Set(Order("hearts", "second"));
        _orders.RevisionOf("hearts", first).ShouldBe(first.Revision);
        second.Revision.ShouldBeGreaterThan(first.Revision);
    }

    private string ReasonOf(string breaker) => _orders.Read().Single(order => order.Breaker == breaker).Reason;

    private static BreakerOrder Order(string breaker, string reason) => new(breaker, BreakerHand.ForcedOpen, 60_000, reason);

    private BreakerOrdersState Stored(string breaker, string reason, long revision) => new()
    {
        Orders = { [breaker] = new StoredBreakerOrder(BreakerHand.ForcedOpen, Now + 60_000, reason, revision) },
        LastRevision = revision,
    };
}
