using HeartGrains.Resilience;

namespace HeartGrains.LoadTest.Recovery;

/// <summary>A way to recover.</summary>
/// <param name="Name">In tables and charts.</param>
/// <param name="Callers">How many wait for the same service at once.</param>
/// <param name="Gateway">The rules of the gateway they share; none when each retries by himself.</param>
internal sealed record RecoveryModel(string Name, int Callers, GatewayRules? Gateway)
{
    private const int Busy = 100;

    /// <summary>Those that are compared.</summary>
    public static IReadOnlyList<RecoveryModel> All { get; } =
    [
        new("plain", 1, null),
        new("ours, for 1", 1, GatewayRules.Delivered),
        new($"ours, for {Busy}", Busy, GatewayRules.Delivered),
        new($"{Busy}, told 1 s", Busy, GatewayRules.Delivered with { RetryAfter = TimeSpan.FromSeconds(1) }),
        new($"{Busy}, breaks", Busy, GatewayRules.Delivered with { Breaker = new BreakerOptions { TripOn = "failure_rate" } }),
        new($"{Busy}, short breaks", Busy, GatewayRules.Delivered with { Breaker = ShortBreaks() }),
    ];

    private static BreakerOptions ShortBreaks() =>
        new() { TripOn = "failure_rate", BreakDuration = TimeSpan.FromSeconds(0.5), MaxBreakDuration = TimeSpan.FromSeconds(1) };

    /// <summary>Goes through one outage.</summary>
    public IReadOnlyList<CallerTrace> Run(Outage outage, Random random)
    {
        var time = new VirtualTime();
        var gateway = Gateway is null ? null : new SharedGateway(time, Gateway, random);
        List<Caller> callers =
        [
            .. Enumerable.Range(0, Callers).Select(Caller (_) =>
                gateway is null ? new PlainCaller(time, outage, random) : new GatewayCaller(time, outage, random, gateway)),
        ];

        // Each comes at some moment of the first second, but while it is down.
        var begin = Math.Min(1, outage.WellAt.TotalSeconds);
        var due = new PriorityQueue<IEnumerator<TimeSpan>, TimeSpan>();
        foreach (var caller in callers) due.Enqueue(caller.Run(), TimeSpan.FromSeconds(begin * random.NextDouble()));
        while (due.TryDequeue(out var next, out var now))
        {
            time.Now = now;
            if (next.MoveNext()) due.Enqueue(next, now + next.Current);
            else next.Dispose();
        }

        return callers.ConvertAll(static caller => caller.Trace);
    }
}
