namespace HeartGrains.LoadTest.Recovery;

/// <summary>Somebody who wants one thing of a service that is down, and does not rest until he has it.</summary>
internal abstract class Caller(VirtualTime time, Outage outage, Random random)
{
    /// <summary>How long he waits after he was given up, when nobody says how long: what a gateway's <c>Retry-After</c> is.</summary>
    protected static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    public CallerTrace Trace { get; } = new();

    protected VirtualTime Time => time;

    protected Outage Outage => outage;

    protected Random Random => random;

    /// <summary>Does it, and yields each wait on the way.</summary>
    public IEnumerator<TimeSpan> Run()
    {
        foreach (var wait in Try()) yield return wait;
        Trace.TimeToRecover = time.Now - outage.WellAt;
    }

    /// <summary>Tries until it succeeds.</summary>
    protected abstract IEnumerable<TimeSpan> Try();

    /// <summary>Sends a request; whoever sends it waits <see cref="Outage.AnswerTime"/> for the answer.</summary>
    protected bool Send()
    {
        Trace.Requests++;
        return outage.Answers(time.Now, random.NextDouble());
    }
}
