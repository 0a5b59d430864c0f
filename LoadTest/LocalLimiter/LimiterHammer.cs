using HeartGrains.Gateway.RateLimiting;

namespace HeartGrains.LoadTest.LocalLimiter;

/// <summary>What threads that ask one bucket as fast as they can were given.</summary>
/// <param name="TokenLimit">The bucket's limit.</param>
/// <param name="TokensPerSecond">The bucket's rate.</param>
/// <param name="Decisions">How often they asked.</param>
/// <param name="Admitted">Tokens given since the bucket was made.</param>
/// <param name="Least">Tokens that were due: the limit, and what came back while somebody asked.</param>
/// <param name="Most">The limit and the rate times all the time.</param>
/// <param name="Elapsed">How long they asked.</param>
public sealed record HammerReport(int TokenLimit, int TokensPerSecond, long Decisions, long Admitted, double Least, double Most, TimeSpan Elapsed)
{
    /// <summary>Not one token too many and none held back.</summary>
    public bool IsExact => Admitted <= Most && Admitted >= Math.Floor(Least);
}

/// <summary>Checks that a bucket gives exactly what is due while threads contend for it.</summary>
public static class LimiterHammer
{
    private const int CallsPerLook = 1_000;

    /// <summary>Empties a fresh bucket, lets threads hammer it, empties it again, and counts.</summary>
    public static HammerReport Run(int threads, int tokenLimit, int tokensPerSecond, TimeSpan duration)
    {
        var clock = TimeProvider.System;
        var madeAt = clock.GetTimestamp();
        var bucket = new LocalTokenBucket(new BucketTerms(tokenLimit, tokensPerSecond, TimeSpan.FromSeconds(1), clock), clock);
        var admitted = (long)Drain(bucket, tokenLimit);
        var due = (double)admitted;

        var emptyAt = clock.GetTimestamp();
        var counts = new (long Decisions, long Admitted)[threads];
        using var start = new Barrier(threads);
        var workers = Enumerable.Range(0, threads).Select(worker => new Thread(() => counts[worker] = Ask(bucket, clock, duration, start))).ToList();
        foreach (var worker in workers) worker.Start();
        foreach (var worker in workers) worker.Join();

        var askedUntil = clock.GetTimestamp();
        admitted += counts.Sum(static count => count.Admitted) + Drain(bucket, tokenLimit);
        var end = clock.GetTimestamp();

        due += tokensPerSecond * clock.GetElapsedTime(emptyAt, askedUntil).TotalSeconds;
        var most = tokenLimit + tokensPerSecond * clock.GetElapsedTime(madeAt, end).TotalSeconds;
        return new HammerReport(tokenLimit, tokensPerSecond, counts.Sum(static count => count.Decisions), admitted, due, most, duration);
    }

    private static (long Decisions, long Admitted) Ask(LocalTokenBucket bucket, TimeProvider clock, TimeSpan duration, Barrier start)
    {
        start.SignalAndWait();
        var (decisions, admitted, startedAt) = (0L, 0L, clock.GetTimestamp());
        while (clock.GetElapsedTime(startedAt) < duration)
        {
            for (var call = 0; call < CallsPerLook; call++)
                if (bucket.TryAcquire()) admitted++;
            decisions += CallsPerLook;
        }

        return (decisions, admitted);
    }

    /// <summary>Takes until refused; a bucket that fills as fast as it is asked is left after twice its limit.</summary>
    private static int Drain(LocalTokenBucket bucket, int tokenLimit)
    {
        var admitted = 0;
        while (admitted < 2 * tokenLimit && bucket.TryAcquire()) admitted++;
        return admitted;
    }
}
