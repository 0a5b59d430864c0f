namespace HeartGrains.LoadTest.Recovery;

/// <summary>Plain exponential backoff: eight attempts, 100 ms × 2ⁿ apart, 5 s at most, ±20 %; then it starts anew.</summary>
internal sealed class PlainCaller(VirtualTime time, Outage outage, Random random) : Caller(time, outage, random)
{
    /// <summary>Attempts of one operation.</summary>
    public const int Attempts = 8;

    private static readonly TimeSpan Base = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Cap = TimeSpan.FromSeconds(5);

    protected override IEnumerable<TimeSpan> Try()
    {
        while (true)
        {
            Trace.Operations++;
            for (var attempt = 0; attempt < Attempts; attempt++)
            {
                if (attempt > 0) yield return DelayBefore(attempt);
                var isDone = Send();
                yield return Outage.AnswerTime;
                if (isDone) yield break;
            }

            yield return Pause;
        }
    }

    private TimeSpan DelayBefore(int attempt)
    {
        var growing = Base * Math.Pow(2, attempt - 1);
        return (growing < Cap ? growing : Cap) * (0.8 + (0.4 * Random.NextDouble()));
    }
}
