using HeartGrains.RateLimiting;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

public sealed class UserQuotaTests
{
    private const long Hand = 15_000;
    private static readonly QuotaShare Share = new(60, 1_000);

    [Fact]
    public void TrySpend_NothingStoredYet_HandsOutNothing()
    {
        var quota = new UserQuota(Share, Hand, stored: null, now: 0);
        quota.TrySpend(1, 0).ShouldBeFalse();
        quota.Plan(1, 0).ShouldNotBeNull();
        quota.TrySpend(1, 0).ShouldBeFalse();
    }

    [Fact]
    public void Plan_FullBucket_StoresTheDeductionOfAChunk()
    {
        var plan = new UserQuota(Share, Hand, stored: null, now: 0).Plan(1, 0)!;
        plan.Tokens.ShouldBe(10);
        plan.State.Microtokens.ShouldBe(50_000_000);
        plan.State.TokensInHand.ShouldBe(10);
    }

    [Fact]
    public void TrySpend_ChunkOlderThanItsLifetime_NeedsAnotherWrite()
    {
        var quota = Reserved(now: 0);
        quota.TrySpend(1, Hand - 1).ShouldBeTrue();
        quota.TrySpend(1, Hand).ShouldBeFalse();
        quota.Remaining(Hand).ShouldBe(59);
    }

    [Fact]
    public void Remaining_LoadedAfterCrash_ForfeitsTheChunk()
    {
        var stored = new UserQuota(Share, Hand, stored: null, now: 0).Plan(1, 0)!.State;
        var next = new UserQuota(Share, Hand, stored, now: 100);
        next.Remaining(100).ShouldBe(50);

        // Until the chunk has expired wherever it was held, it takes up room.
        next.Remaining(100 + Hand - 1).ShouldBe(50);
        next.Remaining(100 + Hand + 1_000).ShouldBe(51);
    }

    [Fact]
    public void TicksUntil_Refused_IsTheFirstTickThatSucceeds()
    {
        var quota = Emptied();
        var wait = quota.TicksUntil(1, 300);
        wait.ShouldBe(700);
        quota.Plan(1, 300 + wait - 1).ShouldBeNull();
        quota.Plan(1, 300 + wait).ShouldNotBeNull();
    }

    [Fact]
    public void TicksUntil_RoomTakenByALostChunk_WaitsForItToExpire()
    {
        var stored = new QuotaState { Microtokens = 50_000_000, TokensInHand = 10 };
        var quota = new UserQuota(Share, Hand, stored, now: 0);
        var wait = quota.TicksUntil(51, 0);
        wait.ShouldBe(Hand + 1_000);
        quota.Plan(51, wait - 1).ShouldBeNull();
        quota.Plan(51, wait).ShouldNotBeNull();
    }

    [Fact]
    public void Close_UnspentTokens_ArePutBack()
    {
        var quota = Reserved(now: 0);
        quota.TrySpend(3, 0).ShouldBeTrue();
        var state = quota.Close(0)!;
        state.Microtokens.ShouldBe(57_000_000);
        state.TokensInHand.ShouldBe(0);
    }

    [Fact]
    public void Close_FullAgain_LeavesNothingToStore()
    {
        Reserved(now: 0).Close(0).ShouldBeNull();
        Emptied().Close(59_999).ShouldNotBeNull();
        Emptied().Close(60_000).ShouldBeNull();
    }

    private static UserQuota Reserved(long now)
    {
        var quota = new UserQuota(Share, Hand, stored: null, now);
        quota.Commit(quota.Plan(1, now)!);
        return quota;
    }

    private static UserQuota Emptied()
    {
        var quota = new UserQuota(Share, Hand, stored: null, now: 0);
        quota.Commit(quota.Plan(60, 0)!);
        quota.TrySpend(60, 0).ShouldBeTrue();
        return quota;
    }
}
