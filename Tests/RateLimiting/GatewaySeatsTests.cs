using HeartGrains.RateLimiting;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

public sealed class GatewaySeatsTests
{
    private const long Lease = 15;
    private const long Fill = 60;
    private readonly Guid _first = Guid.NewGuid();
    private readonly Guid _second = Guid.NewGuid();
    private readonly Guid _third = Guid.NewGuid();

    [Fact]
    public void Plan_NewCluster_SeatsTheFirstAtOnceAndKeepsASpare()
    {
        var seats = new GatewaySeats(1, Lease, () => Fill, stored: null, now: 0);
        seats.Count.ShouldBe(2);
        Renew(seats, _first, 0).Index.ShouldBe(0);
        seats.Count.ShouldBe(2);
        Renew(seats, _second, 1).Index.ShouldBe(1);
        seats.Count.ShouldBe(3);
    }

    [Fact]
    public void Plan_SeatJustAdded_IsGivenOnlyWhenEverySiloLeavesRoomForIt()
    {
        var seats = new GatewaySeats(1, Lease, () => Fill, stored: null, now: 0);
        Renew(seats, _first, 0);
        Renew(seats, _second, 10);
        Renew(seats, _first, 10);
        Renew(seats, _third, 24).Index.ShouldBe(-1);
        Renew(seats, _first, 24);
        Renew(seats, _second, 24);
        var seat = Renew(seats, _third, 25);
        (seat.Index, seat.FreeSince).ShouldBe((2, 25));
    }

    [Fact]
    public void Plan_HolderSilentForALease_ItsSeatIsAnothersInANewTerm()
    {
        var seats = new GatewaySeats(1, Lease, () => Fill, stored: null, now: 0);
        var old = Renew(seats, _first, 0);
        Renew(seats, _second, 1);
        for (var now = 5; now < 15; now += 5) Renew(seats, _second, now);
        Renew(seats, _third, 14).Index.ShouldBe(-1);

        var seat = Renew(seats, _third, 15);
        seat.Index.ShouldBe(0);
        seat.FreeSince.ShouldBe(15);
        seat.Term.ShouldNotBe(old.Term);
    }

    [Fact]
    public void Plan_HolderComesBackAfterItsLeaseAndNobodyTookTheSeat_IsGivenItAnew()
    {
        var seats = new GatewaySeats(0, Lease, () => Fill, stored: null, now: 0);
        var old = Renew(seats, _first, 0);
        var seat = Renew(seats, _first, 1_000);
        seat.Index.ShouldBe(0);
        seat.Term.ShouldNotBe(old.Term);
        seat.FreeSince.ShouldBe(15);
    }

    [Fact]
    public void Plan_GatewayGone_ItsSeatGoesWhenItsSlicesHaveFilled()
    {
        var seats = new GatewaySeats(1, Lease, () => Fill, stored: null, now: 0);
        Renew(seats, _first, 0);
        Renew(seats, _second, 0);
        seats.Count.ShouldBe(3);
        Renew(seats, _first, 14);
        for (var now = 14; now < Lease + Fill; now += 10)
        {
            Renew(seats, _first, now);
            seats.Count.ShouldBe(3);
        }

        Renew(seats, _first, Lease + Fill);
        seats.Count.ShouldBe(2);
    }

    [Fact]
    public void Plan_AfterActivation_HoldersCountAsJustRenewedAndFreeSeatsAsJustAdded()
    {
        var stored = new GatewaySeatsState { Seats = [new StoredSeat(_first, 1), new StoredSeat(Guid.Empty, 0)], LastTerm = 1 };
        var seats = new GatewaySeats(1, Lease, () => Fill, stored, now: 5_000);
        Renew(seats, _second, 5_014).Index.ShouldBe(-1);
        Renew(seats, _first, 5_014).ShouldBe((0, 1L, 5_015L));
        var seat = Renew(seats, _second, 5_015);
        (seat.Index, seat.Term).ShouldBe((1, 2L));
    }

    [Fact]
    public void Plan_NotCommitted_ChangesNothing()
    {
        var seats = new GatewaySeats(0, Lease, () => Fill, stored: null, now: 0);
        seats.Plan(_first, 0).State.Seats[0].Holder.ShouldBe(_first);
        Renew(seats, _second, 0).Index.ShouldBe(0);
    }

    private static (int Index, long Term, long FreeSince) Renew(GatewaySeats seats, Guid gateway, long now) => seats.Commit(seats.Plan(gateway, now), now);
}
