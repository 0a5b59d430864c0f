using HeartGrains.RateLimiting;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

public sealed class QuotaAccountTests
{
    private const long Hand = 15_000;
    private const long Lent = 15_150;

    [Fact]
    public void TrySpend_NothingStoredYet_HandsOutNothing()
    {
        var account = New();
        account.TrySpend(1, 0).ShouldBeFalse();
        account.Plan(1, 0).ShouldNotBeNull();
        account.TrySpend(1, 0).ShouldBeFalse();
    }

    [Fact]
    public void TrySpend_WindowUnderAMinute_NeedsNoWrite()
    {
        var account = New(policy: Policies.User with { Window = TimeSpan.FromSeconds(59) });
        account.Plan(1, 0).ShouldBeNull();
        account.TrySpend(60, 0).ShouldBeTrue();
        account.TrySpend(1, 0).ShouldBeFalse();
    }

    [Fact]
    public void Plan_Whole_StoresTheDeductionOfAChunk()
    {
        var plan = New().Plan(1, 0)!;
        plan.Tokens.ShouldBe(10);
        plan.Level.ShouldBe(new QuotaLevel(0, 0, 10, 60));
    }

    [Fact]
    public void Plan_FastPolicy_TakesAboutASecondsWorthAtOnce() =>
        New(limit: 60_000, Policies.User with { Limit = 60_000 }).Plan(1, 0)!.Tokens.ShouldBe(1_000);

    [Fact]
    public void TrySpend_ChunkOlderThanItsLifetime_NeedsAnotherWrite()
    {
        var account = Reserved(now: 0);
        account.TrySpend(1, Hand - 1).ShouldBeTrue();
        account.TrySpend(1, Hand).ShouldBeFalse();
        account.Judge(0, Hand).Remaining.ShouldBe(59);
    }

    [Theory]
    [InlineData(QuotaAlgorithm.TokenBucket)]
    [InlineData(QuotaAlgorithm.LeakyBucket)]
    [InlineData(QuotaAlgorithm.SlidingWindow)]
    public void Judge_LoadedAfterCrash_ForfeitsTheChunk(QuotaAlgorithm algorithm)
    {
        var policy = Policies.User with { Algorithm = algorithm };
        var stored = New(policy: policy).Plan(1, 0)!.Level;
        var next = new QuotaAccount(policy, 60, 1_000, stored, at: 100, now: 100);
        next.Judge(0, 100).Remaining.ShouldBe(50);

        // Until the chunk has expired wherever it was held, it takes up room.
        next.Judge(0, 100 + Hand - 1).Remaining.ShouldBe(50);
    }

    [Fact]
    public void Judge_LoadedSomeTimeAfterItWasStored_HasWhatCameBackSince()
    {
        var stored = Emptied().Level(0)!;
        new QuotaAccount(Policies.User, 60, 1_000, stored, at: 0, now: 0).Judge(1, 30_000).ShouldBe(new QuotaVerdict(true, 30, 0, 30_000, 60));
        new QuotaAccount(Policies.User, 60, 1_000, stored, at: -30_000, now: 0).Judge(0, 0).Remaining.ShouldBe(30);
    }

    [Fact]
    public void Judge_WindowLoaded_RemembersWhenEachWasSpent()
    {
        var window = Policies.User with { Algorithm = QuotaAlgorithm.SlidingWindow, Segments = 6 };
        var account = New(policy: window);
        foreach (var now in (long[])[0, 20_000, 40_000])
        {
            account.Commit(account.Plan(20, now)!);
            account.TrySpend(20, now).ShouldBeTrue();
        }

        var stored = account.Level(45_000)!;
        stored.ShouldBe(new QuotaLevel(60, 0, 0, 60, SegmentAge: 5_000, Earlier: stored.Earlier));
        stored.Earlier.ShouldBe([new QuotaSpending(35_001, 20), new QuotaSpending(15_001, 20)]);
        var next = new QuotaAccount(window, 60, 1_000, stored, at: 45_000, now: 45_000);

        for (var now = 45_000; now < 130_000; now += 500) next.Judge(1, now).ShouldBe(account.Judge(1, now));
    }

    /// <summary>24 a day, one each 75 minutes, and each time the activation has gone in between: loading must not make it older and older.</summary>
    [Fact]
    public void Has_WindowLoadedForEachCall_GivesAnHonestCallerAllItsPermits()
    {
        var daily = Policies.User with { Algorithm = QuotaAlgorithm.SlidingWindow, Limit = 24, Window = TimeSpan.FromDays(1), Segments = 10 };
        var account = New(24, daily);
        for (var call = 0L; call < 300; call++)
        {
            var now = call * 75 * 60 * 1_000;
            account.Has(1, now).ShouldBeTrue($"call {call}");
            account.Commit(account.Plan(1, now)!);
            account.TrySpend(1, now).ShouldBeTrue();
            var closed = now + (60 * 60 * 1_000);
            account = new QuotaAccount(daily, 24, 1_000, account.Close(closed)!, at: closed + 10_001, now: closed + (75 * 60 * 1_000));
        }
    }

    [Theory]
    [InlineData(86_400 * 366.0, 1_000, 300_000)]
    [InlineData(86_400 * 30.0, 1_000, 10_000_000)]
    [InlineData(86_400 * 366.0, 1L << 53, 1L << 53)]
    [InlineData(60, 60, 100_000)]
    public void Judge_LoadedUnderALowerLimit_WaitsNoLongerThanItTakesToComeBack(double seconds, long limit, long spent)
    {
        var policy = Policies.User with { Limit = limit, Window = TimeSpan.FromSeconds(seconds) };
        var verdict = new QuotaAccount(policy, limit, 1_000_000_000, new QuotaLevel(spent, 0, 0, spent, 1), at: 0, now: 0).Judge(1, 0);
        verdict.RetryAfterMillis.ShouldBeInRange(1, (long)(seconds * 1_000 / limit) + 1);
        verdict.ResetMillis.ShouldBe((long)(seconds * 1_000));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(5_000, 0)]
    [InlineData(10_000, 0)]
    [InlineData(10_001, 0)]
    [InlineData(10_002, 1)]
    [InlineData(70_001, 60_000)]
    [InlineData(-70_000, 0)]
    public void LatestReading_WallClocksSayWhatPassed_LessWhatTheyMayDiffer(long passedMillis, long expected)
    {
        var stored = DateTimeOffset.UnixEpoch.AddDays(20_000);
        var level = new QuotaLevel(1, 0, 0, 60, stored.ToUnixTimeMilliseconds());
        level.LatestReading(5, 1_000, stored.AddMilliseconds(passedMillis), TimeSpan.FromSeconds(10)).ShouldBe(5 - expected);
    }

    [Fact]
    public void LatestReading_NobodySaidWhen_IsNow() =>
        new QuotaLevel(1, 0, 0, 60).LatestReading(5, 1_000, DateTimeOffset.UnixEpoch.AddDays(20_000), TimeSpan.Zero).ShouldBe(5);

    [Fact]
    public void Level_NothingTakenSinceItWasLoaded_IsWhatWasLoaded()
    {
        var stored = new QuotaLevel(60, 0, 0, 60, AsOf: 1);
        var account = New(stored: stored);
        account.Has(1, 0).ShouldBeFalse();
        account.Level(30_000).ShouldBeSameAs(stored);
        account.Commit(account.Plan(1, 30_000)!);
        account.Level(30_000).ShouldBe(new QuotaLevel(30, 0, 10, 60));
    }

    [Fact]
    public void Judge_Refused_SaysTheFirstMillisecondThatSucceeds()
    {
        var account = Emptied();
        account.Judge(1, 300).ShouldBe(new QuotaVerdict(false, 0, 700, 59_700, 60));
        account.Has(1, 999).ShouldBeFalse();
        account.Has(1, 1_000).ShouldBeTrue();
    }

    [Fact]
    public void Judge_RoomTakenByALostChunk_WaitsForItToExpire()
    {
        var account = New(stored: new QuotaLevel(0, 0, 10, 60));
        account.Judge(51, 0).RetryAfterMillis.ShouldBe(Lent + 1_000);
        account.Has(51, Lent + 999).ShouldBeFalse();
        account.Has(51, Lent + 1_000).ShouldBeTrue();
    }

    [Fact]
    public void Judge_MoreThanTheLimit_NeverFits() => New().Judge(61, 0).RetryAfterMillis.ShouldBe(long.MaxValue);

    [Fact]
    public void Return_SpentTokens_AreThereAgain()
    {
        var account = Emptied();
        account.Return(5, takenAt: 0, now: 10);
        account.Has(5, 10).ShouldBeTrue();
        account.Has(6, 10).ShouldBeFalse();
    }

    [Fact]
    public void Adopt_SmallerShare_KeepsNoMoreThanItHolds()
    {
        var account = Reserved(now: 0);
        account.Adopt(Policies.User, 56, 0);
        account.Judge(0, 0).Remaining.ShouldBe(56);
        account.TrySpend(10, 0).ShouldBeTrue();
        account.Adopt(Policies.User, 58, 0);
        account.Judge(0, 0).Remaining.ShouldBe(48);
    }

    [Fact]
    public void Adopt_WindowWithAHigherLimit_GivesTheDifferenceAtOnce()
    {
        var window = Policies.User with { Algorithm = QuotaAlgorithm.SlidingWindow, Segments = 6 };
        var account = new QuotaAccount(window, 60, 1_000, new QuotaLevel(60, 0, 0, 60), at: 0, now: 0);
        account.Has(1, 0).ShouldBeFalse();
        account.Adopt(window with { Limit = 80 }, 80, 0);
        account.Judge(0, 0).Remaining.ShouldBe(20);
    }

    [Fact]
    public void Adopt_ShareShrinksAndGrowsAgain_GivesNothingAway()
    {
        var account = Emptied();
        account.Adopt(Policies.User, 56, 0);
        account.Adopt(Policies.User, 60, 0);
        account.Judge(1, 0).ShouldBe(new QuotaVerdict(false, 0, 1_000, 60_000, 60));
    }

    [Fact]
    public void Adopt_SmallerShareThanIsInHand_TakesItOutOfTheHand()
    {
        var account = New();
        account.Commit(account.Plan(60, 0)!);
        account.Adopt(Policies.User, 56, 0);
        account.TrySpend(57, 0).ShouldBeFalse();
        account.TrySpend(56, 0).ShouldBeTrue();
        account.Adopt(Policies.User, 60, 0);
        account.Judge(0, 0).Remaining.ShouldBe(4);
    }

    [Fact]
    public void Adopt_PolicyThatIsNotStored_GivesWhatWasInHand()
    {
        var account = Reserved(now: 0);
        account.Adopt(Policies.User with { Window = TimeSpan.FromSeconds(30) }, 60, 0);
        account.TrySpend(60, 0).ShouldBeTrue();
        account.Has(1, 0).ShouldBeFalse();
    }

    [Fact]
    public void Adopt_LowerLimit_LocksNobodyOutForLongerThanItTakesToComeBack()
    {
        var account = Emptied();
        account.Adopt(Policies.User with { Limit = 10 }, 10, 0);
        account.Judge(1, 0).RetryAfterMillis.ShouldBe(6_000);
    }

    [Fact]
    public void Close_UnspentTokens_ArePutBack()
    {
        var account = Reserved(now: 0);
        account.TrySpend(3, 0).ShouldBeTrue();
        account.Close(0).ShouldBe(new QuotaLevel(3, 0, 0, 60));
    }

    [Fact]
    public void Close_WholeAgain_LeavesNothingToStore()
    {
        Reserved(now: 0).Close(0).ShouldBeNull();
        Emptied().Close(59_999).ShouldNotBeNull();
        Emptied().Close(60_000).ShouldBeNull();
    }

    private static QuotaAccount New(long limit = 60, QuotaPolicy? policy = null, QuotaLevel? stored = null) =>
        stored is null ? new(policy ?? Policies.User, limit, ticksPerSecond: 1_000, now: 0) : new(policy ?? Policies.User, limit, 1_000, stored, at: 0, now: 0);

    private static QuotaAccount Reserved(long now)
    {
        var account = New();
        account.Commit(account.Plan(1, now)!);
        return account;
    }

    private static QuotaAccount Emptied()
    {
        var account = New();
        account.Commit(account.Plan(60, 0)!);
        account.TrySpend(60, 0).ShouldBeTrue();
        return account;
    }
}
