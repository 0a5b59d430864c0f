using HeartGrains.Gateway.RateLimiting;
using HeartGrains.RateLimiting;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

public sealed class QuotaSlicesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly QuotaShare _share;

    public QuotaSlicesTests() => _share = QuotaShare.Of(2, 60, 1, _time.TimestampFrequency);

    [Fact]
    public void TryAcquire_NoSeat_HasNoSlice()
    {
        var slices = new QuotaSlices(1_000, _time);
        slices.TryAcquire("u", out _, out var wait).ShouldBeFalse();
        wait.ShouldBe(long.MaxValue);
    }

    [Fact]
    public void TryAcquire_SliceSpent_SaysWhenItHasATokenAgain()
    {
        var slices = Seated(1_000);
        slices.TryAcquire("u", out var remaining, out _).ShouldBeTrue();
        remaining.ShouldBe(1);
        slices.TryAcquire("u", out remaining, out _).ShouldBeTrue();
        remaining.ShouldBe(0);

        slices.TryAcquire("u", out _, out var wait).ShouldBeFalse();
        _time.GetElapsedTime(0, wait).ShouldBe(TimeSpan.FromSeconds(30));
        _time.Advance(TimeSpan.FromSeconds(30) - TimeSpan.FromTicks(1));
        slices.TryAcquire("u", out _, out _).ShouldBeFalse();
        _time.Advance(TimeSpan.FromTicks(1));
        slices.TryAcquire("u", out _, out _).ShouldBeTrue();
        slices.TryAcquire("u", out _, out _).ShouldBeFalse();
    }

    [Fact]
    public void TryAcquire_LeaseOver_HasNoSlice()
    {
        var slices = Seated(1_000, TimeSpan.FromSeconds(15));
        _time.Advance(TimeSpan.FromSeconds(15) - TimeSpan.FromTicks(1));
        slices.TryAcquire("u", out _, out _).ShouldBeTrue();
        _time.Advance(TimeSpan.FromTicks(1));
        slices.TryAcquire("u", out _, out _).ShouldBeFalse();
        slices.TryAcquire("v", out _, out _).ShouldBeFalse();
    }

    [Fact]
    public void TryAcquire_TableFull_GivesNoSliceRatherThanForgettingOne()
    {
        var slices = Seated(users: 8);
        var admitted = 0;
        for (var user = 0; user < 100; user++)
            for (var call = 0; call < 3; call++)
                if (slices.TryAcquire($"u{user}", out _, out _)) admitted++;

        admitted.ShouldBe(16 * 2);
    }

    [Fact]
    public void TryAcquire_SlicesFullAgain_TheirEntriesAreReused()
    {
        var slices = Seated(users: 8);
        for (var user = 0; user < 16; user++) slices.TryAcquire($"u{user}", out _, out _).ShouldBeTrue();
        slices.TryAcquire("late", out _, out _).ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(30));
        slices.TryAcquire("late", out _, out _).ShouldBeTrue();
    }

    [Fact]
    public void TryAcquire_ManyUsers_RoomForAsManyAsPromised()
    {
        var slices = Seated(users: 20_000);
        var admitted = 0;
        for (var user = 0; user < 20_000; user++)
            if (slices.TryAcquire($"user{user}", out _, out _)) admitted++;

        admitted.ShouldBeGreaterThan(19_800);
    }

    [Fact]
    public void TryAcquire_ManyThreads_NeverGivesMoreThanTheSlices()
    {
        var slices = Seated(users: 10_000);
        var admitted = 0;
        Parallel.For(0, 40_000, call =>
        {
            if (slices.TryAcquire($"u{call % 100}", out _, out _)) Interlocked.Increment(ref admitted);
        });
        admitted.ShouldBe(200);
    }

    [Fact]
    public void TryAcquire_Admitted_AllocatesNothing()
    {
        var slices = Seated(users: 10_000);
        var users = Enumerable.Range(0, 1_000).Select(user => $"user-{user}").ToArray();
        foreach (var user in users) slices.TryAcquire(user, out _, out _);

        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var user in users) slices.TryAcquire(user, out _, out _);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    private QuotaSlices Seated(int users, TimeSpan? lease = null)
    {
        var slices = new QuotaSlices(users, _time);
        slices.Grant(_share, _time.GetTimestamp() + (lease ?? TimeSpan.FromHours(1)).Ticks * (_time.TimestampFrequency / TimeSpan.TicksPerSecond));
        return slices;
    }
}
