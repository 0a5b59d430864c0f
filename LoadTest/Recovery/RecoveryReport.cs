namespace HeartGrains.LoadTest.Recovery;

/// <summary>What all callers of a model saw in all outages.</summary>
internal sealed record RecoveryReport(RecoveryModel Model, IReadOnlyList<CallerTrace> Traces)
{
    private readonly TimeSpan[] _times = [.. Traces.Select(static trace => trace.TimeToRecover).Order()];

    /// <summary>The time to recover, on average.</summary>
    public TimeSpan Mean => TimeSpan.FromSeconds(_times.Average(static time => time.TotalSeconds));

    /// <summary>Requests sent to the service for each operation that somebody began.</summary>
    public double RequestsPerOperation => (double)Sum(static trace => trace.Requests) / Sum(static trace => trace.Operations);

    /// <summary>Requests sent to the service until somebody had what he wanted, however often he began.</summary>
    public double RequestsPerRecovery => (double)Sum(static trace => trace.Requests) / Traces.Count;

    /// <summary>Operations begun until somebody had what he wanted.</summary>
    public double OperationsPerRecovery => (double)Sum(static trace => trace.Operations) / Traces.Count;

    /// <summary>Probes for each operation.</summary>
    public double ProbesPerOperation => (double)Probes / Sum(static trace => trace.Operations);

    /// <summary>How many were sent.</summary>
    public int Probes => Sum(static trace => trace.Probes);

    /// <summary>How many of them were told that the service is ready.</summary>
    public int ReadyProbes => Sum(static trace => trace.ReadyProbes);

    /// <summary>The part of the probes that were told the service is ready; none when none was sent.</summary>
    public double? ReadyShare => Probes == 0 ? null : (double)ReadyProbes / Probes;

    /// <summary>Of those, the part after which the next request succeeded.</summary>
    public double? ProbeSuccess => ReadyProbes == 0 ? null : (double)Sum(static trace => trace.RightProbes) / ReadyProbes;

    /// <summary>Sends the outages that a seed gives, the same for each model, through one.</summary>
    public static RecoveryReport Simulate(RecoveryModel model, int recoveries, int seed, TimeSpan early = default)
    {
        // Seeds that follow each other would give numbers that resemble each other.
        var seeds = new Random(seed);
        var traces = new List<CallerTrace>(recoveries * model.Callers);
        for (var recovery = 0; recovery < recoveries; recovery++)
        {
            var outage = Outage.Draw(new Random(seeds.Next()), early);
            traces.AddRange(model.Run(outage, new Random(seeds.Next())));
        }

        return new RecoveryReport(model, traces);
    }

    /// <summary>The time to recover that a part of the callers did not exceed, by the nearest-rank method.</summary>
    public TimeSpan Percentile(double part) => _times[Math.Clamp((int)Math.Ceiling(part * _times.Length) - 1, 0, _times.Length - 1)];

    /// <summary>The part of the callers that had recovered so long after the service was well.</summary>
    public double RecoveredWithin(TimeSpan time)
    {
        var index = Array.BinarySearch(_times, time);
        if (index < 0) return (double)~index / _times.Length;
        while (index < _times.Length && _times[index] == time) index++;
        return (double)index / _times.Length;
    }

    private int Sum(Func<CallerTrace, int> count) => Traces.Sum(count);
}
