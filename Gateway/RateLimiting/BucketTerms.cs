namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// How many tokens a <see cref="LocalTokenBucket"/> holds and how fast they come back. Immutable: a change makes new terms.
/// <para>
/// A token costs a fixed number of units, and the terms say how many units have come by a time stamp. So a change of rate bends the line of
/// units and touches no bucket: over any window, whatever the rate did in it, at most the limit and what came in the window is admitted.
/// </para>
/// </summary>
public sealed class BucketTerms
{
    private const int FractionBits = 32;
    private const int LargestBatch = 64;
    private const int TokensPerBatchToken = 64;
    private const long OutOfSightTicks = 1L << 60;
    private const int FinestUnitsPerSecond = 1_000_000_000;
    private static readonly TimeSpan LongestFill = TimeSpan.FromDays(31);

    private readonly ulong _fullRate;
    private readonly ulong _rate;
    private readonly long _originTicks;
    private readonly long _originUnits;

    /// <summary>Terms whose line of units starts now.</summary>
    /// <param name="tokenLimit">The largest burst, at least 1.</param>
    /// <param name="tokensPerPeriod">Tokens that come back in each period, evenly within it.</param>
    /// <param name="replenishmentPeriod">The period.</param>
    /// <param name="clock">The clock that time stamps are of.</param>
    /// <exception cref="ArgumentOutOfRangeException">A figure is not positive, or an empty bucket would take more than 31 days to fill.</exception>
    public BucketTerms(int tokenLimit, int tokensPerPeriod, TimeSpan replenishmentPeriod, TimeProvider clock)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokenLimit);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokensPerPeriod);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(replenishmentPeriod, TimeSpan.Zero);
        FullTokensPerSecond = TokensPerSecond = tokensPerPeriod / replenishmentPeriod.TotalSeconds;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokenLimit / TokensPerSecond, LongestFill.TotalSeconds);

        // A coarse clock's tick is split, so that a token's price, which is rounded up, stays large.
        var unitsPerTickBits = clock.TimestampFrequency >= FinestUnitsPerSecond ? 0 : (int)Math.Log2(FinestUnitsPerSecond / (double)clock.TimestampFrequency);
        _fullRate = _rate = 1UL << (FractionBits + unitsPerTickBits);
        _originTicks = clock.GetTimestamp();

        var unitsPerSecond = (Int128)clock.TimestampFrequency << unitsPerTickBits;
        var unitsPerPeriods = unitsPerSecond * replenishmentPeriod.Ticks;
        var ticksOfTokens = (Int128)TimeSpan.TicksPerSecond * tokensPerPeriod;
        Price = (long)((unitsPerPeriods + ticksOfTokens - 1) / ticksOfTokens);
        TokenLimit = tokenLimit;
        Batch = BatchOf(tokenLimit);
        LargestCapacity = Capacity = (tokenLimit - (Batch - 1)) * Price;
    }

    private BucketTerms(BucketTerms old, int tokenLimit, double tokensPerSecond, long timestamp)
    {
        FullTokensPerSecond = old.FullTokensPerSecond;
        Price = old.Price;
        _fullRate = old._fullRate;
        _rate = (ulong)(_fullRate * (tokensPerSecond / FullTokensPerSecond));
        _originTicks = Math.Max(timestamp, old._originTicks);
        _originUnits = old.UnitsAt(_originTicks);
        TokenLimit = tokenLimit;
        TokensPerSecond = tokensPerSecond;
        Batch = BatchOf(tokenLimit);
        Capacity = (tokenLimit - (Batch - 1)) * Price;
        LargestCapacity = Math.Max(old.LargestCapacity, Capacity);
    }

    /// <summary>The largest burst.</summary>
    public int TokenLimit { get; }

    /// <summary>How fast tokens come back now.</summary>
    public double TokensPerSecond { get; }

    /// <summary>The rate the first terms were made with, which no change exceeds.</summary>
    public double FullTokensPerSecond { get; }

    /// <summary>What a token costs, in units.</summary>
    internal long Price { get; }

    /// <summary>
    /// Tokens taken with one reading of the clock: one for the caller and the others prepaid. One per 64 of the limit, so that a limit below
    /// 128 prepays none.
    /// </summary>
    internal int Batch { get; }

    /// <summary>What the bucket behind the prepaid tokens holds, in units: with them it is the limit.</summary>
    internal long Capacity { get; }

    /// <summary>The largest capacity since the line started.</summary>
    internal long LargestCapacity { get; }

    /// <summary>Terms that hold from a time stamp on.</summary>
    internal BucketTerms ChangedAt(long timestamp, int tokenLimit, double tokensPerSecond)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(tokenLimit);
        ArgumentOutOfRangeException.ThrowIfNegative(tokensPerSecond);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokensPerSecond, FullTokensPerSecond);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokenLimit / FullTokensPerSecond, LongestFill.TotalSeconds);
        return new BucketTerms(this, tokenLimit, tokensPerSecond, timestamp);
    }

    /// <summary>The units that have come by a time stamp, whole ones.</summary>
    internal long UnitsAt(long timestamp) => _originUnits + UnitsIn(Math.Max(0, timestamp - _originTicks));

    /// <summary>The first time stamp at which so many units have come; <see cref="long.MaxValue"/> if that is out of sight.</summary>
    internal long TimestampOf(long units)
    {
        var wanted = Math.Max(0, units - _originUnits);
        var estimate = wanted * ((double)(1UL << FractionBits) / _rate);
        if (!(estimate < OutOfSightTicks)) return long.MaxValue;

        // A division of 128 bits costs ten times the rest of a refusal; the estimate is a few ticks off at most.
        var ticks = (long)estimate;
        while (UnitsIn(ticks) < wanted) ticks++;
        while (ticks > 0 && UnitsIn(ticks - 1) >= wanted) ticks--;
        return _originTicks + ticks;
    }

    private long UnitsIn(long ticks)
    {
        var high = Math.BigMul((ulong)ticks, _rate, out var low);
        return (long)((high << (64 - FractionBits)) | (low >> FractionBits));
    }

    private static int BatchOf(int tokenLimit) => Math.Clamp(tokenLimit / TokensPerBatchToken, 1, LargestBatch);
}
