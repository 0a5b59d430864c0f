using System.Numerics;

namespace HeartGrains.Tests.RateLimiting.Meters;

/// <summary>
/// What a meter ought to answer: worked out anew each time, in integers of any size, from everything that was spent and not returned.
/// </summary>
internal abstract class MeterModel(MeterFigures figures)
{
    private const int Millionths = 1_000_000;

    public List<Spending> Spent { get; } = [];

    public long Held { get; set; }

    public long Clock { get; private set; } = figures.StartsAt;

    public long Available => (long)(RoomMillionths / Millionths);

    public int AvailableMillionths => (int)(RoomMillionths % Millionths);

    protected MeterFigures Figures => figures;

    protected BigInteger Limit => figures.Limit;

    protected abstract BigInteger RoomMillionths { get; }

    /// <summary>What is not available at the start, in ticks times tokens, and no more exact than millionths.</summary>
    protected BigInteger SpentAtStart =>
        BigInteger.Max(0, ((Limit - figures.Available) * figures.PeriodTicks) - ((BigInteger)figures.Millionths * figures.PeriodTicks / Millionths));

    public void Advance(long now) => Clock = Math.Max(Clock, now);

    public void Spend(long tokens) => Spent.Add(new Spending(Clock, tokens));

    public void Return(int index, long tokens) => Spent[index] = Spent[index] with { Tokens = Spent[index].Tokens - tokens };

    /// <summary>The most that may be spent between two readings, both included, in tokens times the period.</summary>
    protected abstract BigInteger Bound(BigInteger elapsedTicks);

    public void ShouldHaveKeptTheBound()
    {
        for (var first = 0; first < Spent.Count; first++)
        {
            BigInteger sum = 0;
            for (var last = first; last < Spent.Count; last++)
            {
                sum += Spent[last].Tokens;
                if (sum * Figures.PeriodTicks > Bound((BigInteger)Spent[last].At - Spent[first].At))
                    throw new InvalidOperationException($"{sum} tokens from {Spent[first].At} to {Spent[last].At}");
            }
        }
    }

    protected BigInteger InMillionths(BigInteger room) => room * Millionths / Figures.PeriodTicks;
}

internal readonly record struct Spending(long At, long Tokens);

/// <summary>The textbook's token bucket: content grows with time up to the limit, and shrinks with what is spent.</summary>
internal sealed class FillingModel(MeterFigures figures) : MeterModel(figures)
{
    protected override BigInteger RoomMillionths
    {
        get
        {
            var full = Limit * Figures.PeriodTicks;
            var content = full - SpentAtStart;
            BigInteger at = Figures.StartsAt;
            foreach (var spending in Spent)
            {
                content = BigInteger.Min(full, content + (Limit * (spending.At - at))) - ((BigInteger)spending.Tokens * Figures.PeriodTicks);
                at = spending.At;
            }

            content = BigInteger.Min(full, content + (Limit * (Clock - at)));
            return InMillionths(content - ((BigInteger)Held * Figures.PeriodTicks));
        }
    }

    protected override BigInteger Bound(BigInteger elapsedTicks) => Limit * (Figures.PeriodTicks + elapsedTicks);
}

/// <summary>Virtual scheduling (ITU-T I.371): the theoretical arrival time moves on by each token's interval, and may run ahead a period.</summary>
internal sealed class VirtualSchedulingModel(MeterFigures figures) : MeterModel(figures)
{
    protected override BigInteger RoomMillionths
    {
        get
        {
            var theoreticalArrival = (Limit * Figures.StartsAt) + SpentAtStart;
            foreach (var spending in Spent)
                theoreticalArrival = BigInteger.Max(theoreticalArrival, Limit * spending.At) + ((BigInteger)spending.Tokens * Figures.PeriodTicks);
            var ahead = BigInteger.Max(0, theoreticalArrival - (Limit * Clock));
            return InMillionths(((Limit - Held) * Figures.PeriodTicks) - ahead);
        }
    }

    protected override BigInteger Bound(BigInteger elapsedTicks) => Limit * (Figures.PeriodTicks + elapsedTicks);
}

/// <summary>A list of what was spent; each counts until its segment and as many more as make a window are over.</summary>
internal sealed class WindowModel(MeterFigures figures) : MeterModel(figures)
{
    protected override BigInteger RoomMillionths
    {
        get
        {
            var segmentTicks = ((BigInteger)Figures.PeriodTicks + Figures.Segments - 1) / Figures.Segments;
            var counted = Spent.Append(new Spending(Figures.StartsAt, Figures.Limit - Figures.Available)).Where(spending =>
            {
                var segment = ((BigInteger)spending.At - Figures.StartsAt) / segmentTicks;
                return Clock < Figures.StartsAt + ((segment + 1 + Figures.Segments) * segmentTicks);
            });
            return (Limit - Held - counted.Aggregate(BigInteger.Zero, (sum, spending) => sum + spending.Tokens)) * 1_000_000;
        }
    }

    protected override BigInteger Bound(BigInteger elapsedTicks) =>
        Limit * Figures.PeriodTicks * BigInteger.Max(1, 1 + ((elapsedTicks - 1) / Figures.PeriodTicks));
}
