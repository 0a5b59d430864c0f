using HeartGrains.RateLimiting;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

public sealed class GatewaySeatsTests
{
    private const long Reuse = 76;
    private readonly Guid _first = Guid.NewGuid();
    private readonly Guid _second = Guid.NewGuid();
    private readonly Guid _third = Guid.NewGuid();

    [Fact]
    public void Plan_NoSeatFree_RefusesUntilAHolderWasSilentForLeaseAndFill()
    {
        var seats = new GatewaySeats(2, Reuse, [], now: 0);
        Renew(seats, _first, 0).ShouldBeTrue();
        Renew(seats, _second, 10).ShouldBeTrue();
        Renew(seats, _third, 75).ShouldBeFalse();
        Renew(seats, _third, 76).ShouldBeTrue();
        Renew(seats, _first, 77).ShouldBeFalse();
        Renew(seats, _second, 77).ShouldBeTrue();
    }

    [Fact]
    public void Plan_HolderReturnsAfterItsLease_KeepsItsSeat()
    {
        var seats = new GatewaySeats(1, Reuse, [], now: 0);
        Renew(seats, _first, 0).ShouldBeTrue();
        Renew(seats, _first, 1_000).ShouldBeTrue();
        Renew(seats, _second, 1_075).ShouldBeFalse();
    }

    [Fact]
    public void Plan_AfterActivation_EveryStoredHolderCountsAsJustRenewed()
    {
        var seats = new GatewaySeats(2, Reuse, [_first, _second], now: 5_000);
        Renew(seats, _third, 5_075).ShouldBeFalse();
        Renew(seats, _third, 5_076).ShouldBeTrue();
    }

    [Fact]
    public void Plan_FewerSeatsThanStoredHolders_RenewsOnlyAsManyAsThereAre()
    {
        var seats = new GatewaySeats(1, Reuse, [_first, _second], now: 0);
        Renew(seats, _first, 1).ShouldBeTrue();
        Renew(seats, _second, 1).ShouldBeFalse();
        Renew(seats, _third, 76).ShouldBeFalse();
    }

    [Fact]
    public void Plan_NotCommitted_ChangesNothing()
    {
        var seats = new GatewaySeats(1, Reuse, [], now: 0);
        seats.Plan(_first, 0).ShouldBe([_first]);
        Renew(seats, _second, 0).ShouldBeTrue();
    }

    private static bool Renew(GatewaySeats seats, Guid gateway, long now)
    {
        if (seats.Plan(gateway, now) is not { } holders) return false;
        seats.Commit(holders, gateway, now);
        return true;
    }
}
