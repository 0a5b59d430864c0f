using CsCheck;
using HeartGrains.RateLimiting;
using Shouldly;
using Xunit;

namespace HeartGrains.Tests.RateLimiting;

public sealed class TokenBucketTests
{
    [Fact]
    public void TryTake_RandomSchedule_AgreesWithReferenceModel()
    {
        var calls = Gen.Select(Gen.OneOf(Gen.Long[0, 40], Gen.Long[0, 100_000]), Gen.Int[1, 4]).Array[1, 200];
        Gen.Select(Gen.Int[1, 20], Gen.Long[1, 1_000], calls).Sample((tokens, ticksPerToken, schedule) =>
        {
            var bucket = new TokenBucket(new QuotaShare(tokens, ticksPerToken), tokens * ticksPerToken, now: 0);
            var level = (decimal)tokens;
            long now = 0;
            foreach (var (pause, wanted) in schedule)
            {
                now += pause;
                level = Math.Min(tokens, level + (decimal)pause / ticksPerToken);
                var expected = level + 0.000_000_000_001m >= wanted;
                if (expected) level -= wanted;
                bucket.TryTake(wanted, now).ShouldBe(expected);
            }
        });
    }

    [Fact]
    public void TryTake_AfterDecadesOfIdling_HoldsNoMoreThanItsLimit()
    {
        var bucket = new TokenBucket(new QuotaShare(3, 1_000_000_000), 0, now: long.MinValue / 4);
        bucket.TryTake(4, long.MaxValue / 4).ShouldBeFalse();
        bucket.TryTake(3, long.MaxValue / 4).ShouldBeTrue();
        bucket.TryTake(1, long.MaxValue / 4).ShouldBeFalse();
    }

    [Fact]
    public void TryTake_ClockReadingFromBefore_AddsNothing()
    {
        var bucket = new TokenBucket(new QuotaShare(2, 100), 0, now: 1_000);
        bucket.TryTake(1, 1_100).ShouldBeTrue();
        bucket.TryTake(1, 1_050).ShouldBeFalse();
        bucket.TryTake(1, 1_150).ShouldBeFalse();
        bucket.TryTake(1, 1_200).ShouldBeTrue();
    }

    [Fact]
    public void TryTake_TokensReserved_FillsOnlyTheRoomTheyLeave()
    {
        var bucket = new TokenBucket(new QuotaShare(10, 1), 10, now: 0);
        bucket.TryTake(4, 0).ShouldBeTrue();
        bucket.Reserved = 4;
        bucket.TryTake(7, 1_000).ShouldBeFalse();
        bucket.Reserved = 0;
        bucket.TryTake(7, 1_000).ShouldBeFalse();
        bucket.TryTake(7, 1_001).ShouldBeTrue();
    }

    [Fact]
    public void Of_SharesOfOneLimit_AddUpToNoMoreThanTheWhole()
    {
        Gen.Select(Gen.Int[2, 1_000], Gen.Int[1, 1_000], Gen.Int[1, 4], Gen.Int[1, 5]).Sample((limit, perSecond, slice, seats) =>
        {
            if (seats * slice >= limit) return;
            const long Frequency = 1_000_000_000;
            var slices = QuotaShare.Of(slice, limit, perSecond, Frequency);
            var rest = QuotaShare.Of(limit - (seats * slice), limit, perSecond, Frequency);
            var rate = (seats / (double)slices.TicksPerToken) + (1 / (double)rest.TicksPerToken);
            (rate * Frequency).ShouldBeInRange(perSecond * 0.9, perSecond * (1 + 1e-12));
        });
    }
}
