using CsCheck;
using HeartGrains.Gateway.RateLimiting;
using Microsoft.Extensions.Time.Testing;

namespace HeartGrains.Tests.RateLimiting;

public sealed class LocalTokenBucketTests
{
    private static readonly Gen<(int Limit, int Tokens, TimeSpan Period)> Policies = Gen.Select(
        Gen.OneOf(Gen.Int[1, 20], Gen.Int[100, 400], Gen.Int[4_000, 8_000]),
        Gen.OneOf(Gen.Int[1, 7], Gen.Int[1_000, 100_000]),
        Gen.Long[1_000, 50_000_000].Select(TimeSpan.FromTicks));

    private static readonly Gen<(int Calls, long Pause)> Bursts = Gen.Select(
        Gen.OneOf(Gen.Int[1, 5], Gen.Int[50, 2_000]),
        Gen.OneOf(Gen.Long[0, 3], Gen.Long[1, 100_000], Gen.Long[1, 1_000_000_000]));

    [Fact]
    public void TryAcquire_AnySchedule_KeepsTheLimitInEveryWindow() =>
        Gen.Select(Policies, Bursts.List[1, 40]).Sample((policy, bursts) =>
        {
            var clock = new FakeTimeProvider();
            var bucket = new LocalTokenBucket(new BucketTerms(policy.Limit, policy.Tokens, policy.Period, clock), clock);
            var windows = new WorstWindow(policy.Tokens, policy.Period.Ticks);
            foreach (var (calls, pause) in bursts)
            {
                windows.Pass(pause);
                clock.Advance(TimeSpan.FromTicks(pause));
                for (var call = 0; call < calls; call++)
                {
                    if (bucket.TryAcquire()) windows.Admit();
                    if (!windows.IsWithin(policy.Limit)) return false;
                }
            }

            return true;
        });

    [Fact]
    public void TryAcquire_AnySchedule_RefusesOnlyWhatAnIdealBucketLessThePrepaidWouldRefuse() =>
        Gen.Select(Gen.OneOf(Gen.Int[1, 127], Gen.Int[128, 8_000]), Gen.Long[1, 100_000], Bursts.List[1, 40]).Sample((limit, price, bursts) =>
        {
            var clock = new FakeTimeProvider();
            var terms = new BucketTerms(limit, 1, TimeSpan.FromTicks(price), clock);
            var bucket = new LocalTokenBucket(terms, clock);
            var windows = new WorstWindow(1, price);
            var least = limit - (terms.Batch - 1);
            foreach (var (calls, pause) in bursts)
            {
                windows.Pass(pause);
                clock.Advance(TimeSpan.FromTicks(pause));
                for (var call = 0; call < calls; call++)
                {
                    if (bucket.TryAcquire()) windows.Admit();
                    else if (windows.HasRoomFor(1, least)) return false;
                }
            }

            // Below 128 nothing is prepaid: with the windows' bound, it is GCRA decision by decision.
            return limit >= 128 || terms.Batch == 1;
        });

    [Fact]
    public void TryAcquire_Refused_SaysExactlyWhenThereIsAToken() =>
        Gen.Select(Policies, Gen.Long[0, 10_000]).Sample((policy, pause) =>
        {
            var clock = new FakeTimeProvider();
            var bucket = new LocalTokenBucket(new BucketTerms(policy.Limit, policy.Tokens, policy.Period, clock), clock);
            Drain(bucket);
            clock.Advance(TimeSpan.FromTicks(pause));
            Drain(bucket);
            bucket.TryAcquire(out var wait).ShouldBeFalse();
            clock.Advance(TimeSpan.FromTicks(wait - 1));
            bucket.TryAcquire(out var rest).ShouldBeFalse();
            rest.ShouldBe(1);
            clock.Advance(TimeSpan.FromTicks(1));
            bucket.TryAcquire(out var none).ShouldBeTrue();
            none.ShouldBe(0);
        });

    [Theory]
    [InlineData(1)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(10_000)]
    public void TryAcquire_FreshBucket_HoldsTheWholeLimit(int limit)
    {
        var clock = new FakeTimeProvider();
        Drain(new LocalTokenBucket(new BucketTerms(limit, 1, TimeSpan.FromMinutes(1), clock), clock)).ShouldBe(limit);
    }

    [Theory]
    [InlineData(100, 100)]
    [InlineData(640, 640 - 9)]
    [InlineData(100_000, 100_000 - 63)]
    public void TryAcquire_IdleForYears_HoldsTheLimitLessWhatIsNotPrepaid(int limit, int expected)
    {
        var clock = new FakeTimeProvider();
        var bucket = new LocalTokenBucket(new BucketTerms(limit, 1_000, TimeSpan.FromSeconds(1), clock), clock);
        Drain(bucket);

        clock.Advance(TimeSpan.FromDays(8 * 365));

        Drain(bucket).ShouldBe(expected);
    }

    [Fact]
    public void TryAcquire_ClockGoesBack_AdmitsNoMoreAndGoesOnAtTheRate()
    {
        var clock = new SettableClock { Timestamp = 1_000_000_000 };
        var bucket = new LocalTokenBucket(new BucketTerms(10, 1, TimeSpan.FromSeconds(1), clock), clock);
        clock.Timestamp += 60 * SettableClock.TicksPerSecond;
        Drain(bucket).ShouldBe(10);

        clock.Timestamp -= 40 * SettableClock.TicksPerSecond;
        bucket.TryAcquire(out var wait).ShouldBeFalse();
        wait.ShouldBe(SettableClock.TicksPerSecond);

        clock.Timestamp += 3 * SettableClock.TicksPerSecond;
        Drain(bucket).ShouldBe(3);
    }

    [Fact]
    public void Change_AnyRates_AdmitsAtMostTheLargestLimitAndWhatCame() =>
        Gen.Select(Gen.Int[1, 1_000], Gen.Select(Gen.Int[0, 1_000], Gen.Int[1, 1_000], Gen.Long[0, 20_000_000]).List[1, 40]).Sample((limit, changes) =>
        {
            var clock = new FakeTimeProvider();
            var bucket = new LocalTokenBucket(new BucketTerms(limit, 1_000, TimeSpan.FromSeconds(1), clock), clock);
            var largest = limit;
            var owed = 0.0;
            foreach (var (rate, newLimit, pause) in changes)
            {
                for (var admitted = Drain(bucket); admitted > 0; admitted--) owed++;
                if (owed > largest + 1e-6) return false;
                bucket.Change(newLimit, rate);
                largest = Math.Max(largest, newLimit);
                clock.Advance(TimeSpan.FromTicks(pause));
                owed = Math.Max(0, owed - pause / 1e7 * rate);
            }

            return true;
        });

    [Fact]
    public void Change_LowerRate_TakesNothingBackAndFillsAtThatRate()
    {
        var clock = new FakeTimeProvider();
        var bucket = new LocalTokenBucket(new BucketTerms(100, 100, TimeSpan.FromSeconds(1), clock), clock);
        Drain(bucket);

        bucket.Change(100, 5);
        Drain(bucket).ShouldBe(0);
        bucket.TryAcquire(out var wait);
        wait.ShouldBeInRange(2_000_000, 2_000_001);
        clock.Advance(TimeSpan.FromSeconds(2.001));
        Drain(bucket).ShouldBe(10);

        bucket.Change(100, 0);
        clock.Advance(TimeSpan.FromDays(1));
        bucket.TryAcquire(out wait).ShouldBeFalse();
        wait.ShouldBeGreaterThan(TimeSpan.TicksPerDay * 365);

        bucket.Change(100, 100);
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Drain(bucket).ShouldBe(50);
    }

    [Fact]
    public void TryAcquire_ManyDecisions_AllocatesNothing()
    {
        var bucket = new LocalTokenBucket(new BucketTerms(1_000, 1_000, TimeSpan.FromSeconds(1), TimeProvider.System), TimeProvider.System);
        Drain(bucket);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100_000; i++) bucket.TryAcquire(out _);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(100_000);
    }

    private static int Drain(LocalTokenBucket bucket)
    {
        var admitted = 0;
        while (bucket.TryAcquire()) admitted++;
        return admitted;
    }

    /// <summary>Over all windows that end now, the largest excess of what was admitted over rate × W, in ticks times tokens.</summary>
    private sealed class WorstWindow(int tokens, long periodTicks)
    {
        private Int128 _excess;

        public void Pass(long ticks) => _excess = Int128.Max(0, _excess - (Int128)ticks * tokens);

        public void Admit() => _excess += periodTicks;

        public bool IsWithin(int limit) => _excess <= (Int128)limit * periodTicks;

        public bool HasRoomFor(int calls, int limit) => _excess + (Int128)calls * periodTicks <= (Int128)limit * periodTicks;
    }

    private sealed class SettableClock : TimeProvider
    {
        public const long TicksPerSecond = 1_000_000_000;

        public long Timestamp { get; set; }

        public override long TimestampFrequency => TicksPerSecond;

        public override long GetTimestamp() => Timestamp;
    }
}
