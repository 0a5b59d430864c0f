namespace HeartGrains.LoadTest.Recovery;

/// <summary>One outage of a service: down from the beginning, well from <paramref name="WellAt"/> on, but for a few failures.</summary>
/// <param name="WellAt">When it takes requests again.</param>
/// <param name="ReadyAt">From when on it says that it is ready.</param>
/// <param name="FailureRate">The part of requests that fail although it is well.</param>
internal sealed record Outage(TimeSpan WellAt, TimeSpan ReadyAt, double FailureRate)
{
    /// <summary>How long an answer takes, also one that refuses.</summary>
    public static readonly TimeSpan AnswerTime = TimeSpan.FromMilliseconds(5);

    private static readonly TimeSpan Lag = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A length drawn from a log-normal distribution, as times to repair usually are: most are over in seconds, a few take much longer. Half last less than 6 s, which is about what a cluster takes to
    /// notice a lost silo and to place its grains anew; one in twenty lasts more than 18 s. Readiness follows by up to a second, since whoever says it looks only now and then.
    /// </summary>
    /// <param name="random">Chance.</param>
    /// <param name="early">How much too soon readiness may be said instead; usually nothing.</param>
    public static Outage Draw(Random random, TimeSpan early = default)
    {
        const double MedianSeconds = 6;
        const double Spread = 0.66;
        const double FailuresAfterwards = 0.02;
        var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        var wellAt = TimeSpan.FromSeconds(MedianSeconds * Math.Exp(Spread * normal));
        return new Outage(wellAt, wellAt - early + ((Lag + early) * random.NextDouble()), FailuresAfterwards);
    }

    /// <summary>A request that arrives now succeeds; <paramref name="chance"/> is 0 to 1.</summary>
    public bool Answers(TimeSpan now, double chance) => now >= WellAt && chance >= FailureRate;

    /// <summary>A probe that arrives now is told that it is ready.</summary>
    public bool IsReady(TimeSpan now) => now >= ReadyAt;
}
