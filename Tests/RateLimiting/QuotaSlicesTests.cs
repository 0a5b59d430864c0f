using CsCheck;
using HeartGrains.Gateway.RateLimiting;
using Microsoft.Extensions.Time.Testing;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

public sealed class QuotaSlicesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly SlicedPolicy _policy;

    public QuotaSlicesTests() => _policy = Policies.Prepared(_time, 0, Policies.User).Policies[0];

    [Fact]
    public void TryTake_NoLease_HasNoSlice()
    {
        var slices = new QuotaSlices(1_000, _time);
        slices.TryTake(_policy, "u", 1, out var level).ShouldBeFalse();
        level.TicksUntil(1).ShouldBe(long.MaxValue);
    }

    [Fact]
    public void TryTake_SliceSpent_SaysWhenItHasATokenAgain()
    {
        var slices = Seated(1_000);
        slices.TryTake(_policy, "u", 1, out var level).ShouldBeTrue();
        level.Tokens.ShouldBe(1);
        slices.TryTake(_policy, "u", 1, out level).ShouldBeTrue();
        level.Tokens.ShouldBe(0);

        slices.TryTake(_policy, "u", 1, out level).ShouldBeFalse();
        _time.GetElapsedTime(0, level.TicksUntil(1)).ShouldBe(TimeSpan.FromSeconds(30));
        _time.GetElapsedTime(0, level.TicksUntilFull).ShouldBe(TimeSpan.FromSeconds(60));
        _time.Advance(TimeSpan.FromSeconds(30) - TimeSpan.FromTicks(1));
        slices.TryTake(_policy, "u", 1, out _).ShouldBeFalse();
        _time.Advance(TimeSpan.FromTicks(1));
        slices.TryTake(_policy, "u", 1, out _).ShouldBeTrue();
        slices.TryTake(_policy, "u", 1, out _).ShouldBeFalse();
    }

    [Fact]
    public void TryTake_MoreThanTheSliceHas_TakesNothing()
    {
        var slices = Seated(1_000);
        slices.TryTake(_policy, "u", 3, out _).ShouldBeFalse();
        slices.TryTake(_policy, "u", 2, out _).ShouldBeTrue();
    }

    [Fact]
    public void TakeUpTo_MoreThanTheSliceHas_TakesWhatThereIs()
    {
        var slices = Seated(1_000);
        slices.TakeUpTo(_policy, "u", 5, out _).ShouldBe(2);
        slices.TakeUpTo(_policy, "u", 5, out _).ShouldBe(0);
    }

    [Fact]
    public void Return_TokensTaken_AreThereAgainAndNoMore()
    {
        var slices = Seated(1_000);
        slices.TryTake(_policy, "u", 1, out var level).ShouldBeTrue();
        slices.Return(_policy, "u", 1, level.Now);
        slices.Look(_policy, "u").Tokens.ShouldBe(2);
        slices.Return(_policy, "u", 1, level.Now);
        slices.TakeUpTo(_policy, "u", 5, out _).ShouldBe(2);
    }

    [Fact]
    public void Return_TimeHasBroughtThemBack_GivesNoMore()
    {
        var slices = Seated(1_000);
        slices.TryTake(_policy, "u", 1, out var level).ShouldBeTrue();
        _time.Advance(TimeSpan.FromSeconds(30));
        slices.TakeUpTo(_policy, "u", 5, out _).ShouldBe(2);
        slices.Return(_policy, "u", 1, level.Now);
        slices.Look(_policy, "u").Tokens.ShouldBe(0);
    }

    /// <summary>Whatever comes back, and when: never more in any span than a bucket admits that never saw what was returned.</summary>
    [Fact]
    public void Return_AnySchedule_AdmitsNoMoreThanLimitPlusRateTimesWindow()
    {
        var steps = Gen.Select(Gen.Int[0, 40], Gen.Int[0, 2], Gen.Int[1, 3]).Array[5, 60];
        steps.Sample(schedule =>
        {
            var time = new FakeTimeProvider();
            var policy = Policies.Prepared(time, 0, Policies.User with { Limit = 10, SliceTokens = 3, Window = TimeSpan.FromMilliseconds(30) }).Policies[0];
            var slices = new QuotaSlices(16, time);
            slices.Extend(policy.Term, long.MaxValue);
            var open = new Queue<(long At, long Tokens)>();
            var admitted = new List<(long At, long Tokens)>();
            foreach (var (pause, action, tokens) in schedule)
            {
                time.Advance(TimeSpan.FromMilliseconds(pause * 0.5));
                if (action == 2 && open.TryDequeue(out var failed)) slices.Return(policy, "u", failed.Tokens, failed.At);
                else if (slices.TryTake(policy, "u", tokens, out var level)) (action == 0 ? admitted.Add : (Action<(long, long)>)open.Enqueue)((level.Now, tokens));
            }

            for (var first = 0; first < admitted.Count; first++)
            {
                var sum = 0L;
                for (var last = first; last < admitted.Count; last++)
                    ((double)(sum += admitted[last].Tokens)).ShouldBeLessThanOrEqualTo(3 + ((admitted[last].At - admitted[first].At) / (double)policy.TicksPerToken) + 1e-6);
            }
        }, iter: 20_000);
    }

    [Fact]
    public void TryTake_LeaseOver_HasNoSlice()
    {
        var slices = Seated(1_000, TimeSpan.FromSeconds(15));
        _time.Advance(TimeSpan.FromSeconds(15) - TimeSpan.FromTicks(1));
        slices.TryTake(_policy, "u", 1, out _).ShouldBeTrue();
        _time.Advance(TimeSpan.FromTicks(1));
        slices.TryTake(_policy, "u", 1, out _).ShouldBeFalse();
        slices.TryTake(_policy, "v", 1, out _).ShouldBeFalse();
    }

    [Fact]
    public void TryTake_SeatGivenAnew_StartsEmptyAndOldPoliciesGiveNothing()
    {
        var slices = Seated(1_000);
        var set = PolicySet.None.With(Policies.Seat(0, Policies.User) with { Term = 7, FreeMillis = 0 }, _time.GetTimestamp(), _time.TimestampFrequency);
        slices.Extend(7, long.MaxValue);
        slices.TryTake(_policy, "u", 1, out _).ShouldBeFalse();
        slices.TryTake(set.Policies[0], "u", 1, out _).ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(30));
        slices.TryTake(set.Policies[0], "u", 1, out _).ShouldBeTrue();
        slices.TryTake(set.Policies[0], "u", 1, out _).ShouldBeFalse();
    }

    [Fact]
    public void TryTake_TwoPoliciesOfOneKey_HaveSlicesOfTheirOwn()
    {
        var slices = Seated(1_000);
        var set = Policies.Prepared(_time, 0, Policies.User, Policies.User with { Name = "other" });
        slices.TakeUpTo(set.Policies[0], "u", 5, out _).ShouldBe(2);
        slices.TakeUpTo(set.Policies[1], "u", 5, out _).ShouldBe(2);
    }

    [Fact]
    public void TryTake_TableFull_GivesNoSliceRatherThanForgettingOne()
    {
        var slices = Seated(keys: 8);
        var admitted = 0;
        for (var key = 0; key < 100; key++)
            for (var call = 0; call < 3; call++)
                if (slices.TryTake(_policy, $"u{key}", 1, out _)) admitted++;

        admitted.ShouldBe(16 * 2);
    }

    [Fact]
    public void TryTake_SlicesFullAgain_TheirEntriesAreReused()
    {
        var slices = Seated(keys: 8);
        for (var key = 0; key < 16; key++) slices.TryTake(_policy, $"u{key}", 1, out _).ShouldBeTrue();
        slices.TryTake(_policy, "late", 1, out _).ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(30));
        slices.TryTake(_policy, "late", 1, out _).ShouldBeTrue();
    }

    [Fact]
    public void TryTake_ManyKeys_RoomForAsManyAsPromised()
    {
        var slices = Seated(keys: 20_000);
        var admitted = 0;
        for (var key = 0; key < 20_000; key++)
            if (slices.TryTake(_policy, $"user{key}", 1, out _)) admitted++;

        admitted.ShouldBeGreaterThan(19_800);
    }

    [Fact]
    public void TryTake_ManyThreads_NeverGivesMoreThanTheSlices()
    {
        var slices = Seated(keys: 10_000);
        var admitted = 0;
        Parallel.For(0, 40_000, call =>
        {
            if (slices.TryTake(_policy, $"u{call % 100}", 1, out _)) Interlocked.Increment(ref admitted);
        });
        admitted.ShouldBe(200);
    }

    [Fact]
    public void TryTake_Admitted_AllocatesNothing()
    {
        var slices = Seated(keys: 10_000);
        var keys = Enumerable.Range(0, 1_000).Select(key => $"user-{key}").ToArray();
        foreach (var key in keys) slices.TryTake(_policy, key, 1, out _);

        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var key in keys) slices.TryTake(_policy, key, 1, out _);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    private QuotaSlices Seated(int keys, TimeSpan? lease = null)
    {
        var slices = new QuotaSlices(keys, _time);
        slices.Extend(_policy.Term, _time.GetTimestamp() + (lease ?? TimeSpan.FromHours(1)).Ticks * (_time.TimestampFrequency / TimeSpan.TicksPerSecond));
        return slices;
    }
}
