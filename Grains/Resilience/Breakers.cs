using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeartGrains.Resilience;

/// <summary>The rule of each dependency's breaker; section <c>HeartGrains:Breakers</c>.</summary>
public sealed class BreakersOptions
{
    /// <summary>The section's name under <c>HeartGrains</c>.</summary>
    public const string Name = "Breakers";

    /// <summary>The configuration section.</summary>
    public const string SectionName = "HeartGrains:" + Name;

    /// <summary>From the gateway to HeartGrains: more than 5 % failed and P95 over 800 ms, in 60 s.</summary>
    public BreakerOptions Hearts { get; set; } = new();

    /// <summary>
    /// From the gateway to RateLimitGrains: more than half failed, in 10 s. They have a patience of their own, so latency says nothing; the breaks are short, because no
    /// heart is given without them.
    /// </summary>
    public BreakerOptions Quota { get; set; } = new()
    {
        TripOn = "failure_rate",
        FailureRate = 0.5,
        Window = TimeSpan.FromSeconds(10),
        BreakDuration = TimeSpan.FromMilliseconds(500),
        MaxBreakDuration = TimeSpan.FromSeconds(2),
    };

    /// <summary>
    /// From the silo to its ledger: more than half failed, or P95 over 800 ms, in 10 s. A call is a batch, so there are few, and of a ledger that hangs three in six seconds; the breaks are short, so that hearts flow
    /// soon after it is well.
    /// </summary>
    public BreakerOptions Ledger { get; set; } = new()
    {
        TripOn = "any",
        FailureRate = 0.5,
        Window = TimeSpan.FromSeconds(10),
        MinimumCalls = 3,
        BreakDuration = TimeSpan.FromMilliseconds(500),
        MaxBreakDuration = TimeSpan.FromSeconds(2),
    };
}

/// <summary>The breakers of this process, one for each dependency it has; made when first asked for.</summary>
public sealed partial class Breakers : IDisposable
{
    /// <summary>The dependency of gateways on HeartGrains.</summary>
    public const string Hearts = "hearts";

    /// <summary>The dependency of gateways on RateLimitGrains.</summary>
    public const string Quota = "quota";

    /// <summary>The dependency of silos on the ledger.</summary>
    public const string Ledger = "ledger";

    private readonly Lock _gate = new();
    private readonly BreakersOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BreakerMetrics _metrics = new();
    private Breaker[] _all = [];

    /// <summary>None yet.</summary>
    public Breakers(IOptions<BreakersOptions> options, TimeProvider time, ILogger<Breakers> logger)
    {
        (_options, _time, _logger) = (options.Value, time, logger);
        _metrics.Observe(() => _all);
    }

    /// <summary>The names there can be.</summary>
    public static IReadOnlyList<string> Names { get; } = [Hearts, Quota, Ledger];

    /// <summary>Those of this process.</summary>
    public IReadOnlyList<Breaker> All => Volatile.Read(ref _all);

    /// <summary>The breaker of a dependency.</summary>
    public Breaker Of(string name)
    {
        lock (_gate)
        {
            if (Array.Find(_all, breaker => breaker.Name == name) is { } known) return known;
            var made = new Breaker(name, RuleOf(name), _time) { Changed = Tell };
            _metrics.Add(name);
            Volatile.Write(ref _all, [.. _all, made]);
            return made;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _metrics.Dispose();

    private BreakerOptions RuleOf(string name) => name switch
    {
        Hearts => _options.Hearts,
        Quota => _options.Quota,
        Ledger => _options.Ledger,
        _ => throw new ArgumentException("There is no such dependency.", nameof(name)),
    };

    private void Tell(BreakerTransition change)
    {
        _metrics.Count(change);
        if (change.To is BreakerState.Closed or BreakerState.HalfOpen) Log.Calm(_logger, change.Breaker, change.From, change.To, change.Reason);
        else Log.Alarm(_logger, change.Breaker, change.From, change.To, change.Reason);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "The breaker {Breaker} went from {From} to {To}: {Reason}")]
        public static partial void Calm(ILogger logger, string breaker, BreakerState from, BreakerState to, string reason);

        [LoggerMessage(2, LogLevel.Warning, "The breaker {Breaker} went from {From} to {To}: {Reason}")]
        public static partial void Alarm(ILogger logger, string breaker, BreakerState from, BreakerState to, string reason);
    }
}
