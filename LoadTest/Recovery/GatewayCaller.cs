using HeartGrains.Gateway.Resilience;
using HeartGrains.Resilience;

namespace HeartGrains.LoadTest.Recovery;

/// <summary>
/// A caller of the gateway: its schedule, its budget and its breaker, in the order of the pipeline <c>hearts</c>, and the caller who comes back after <c>Retry-After</c> when he was refused.
/// Every failure here is one that is known not to have been done, so all are worth another try.
/// </summary>
internal sealed class GatewayCaller(VirtualTime time, Outage outage, Random random, SharedGateway gateway) : Caller(time, outage, random)
{
    private bool _isDone;
    private TimeSpan _retryAfter;
    private bool _wasToldReady;

    protected override IEnumerable<TimeSpan> Try()
    {
        while (true)
        {
            Trace.Operations++;
            foreach (var wait in Call()) yield return wait;
            if (_isDone) yield break;
            yield return _retryAfter;
        }
    }

    /// <summary>One call, as RecoveryStrategy makes it.</summary>
    private IEnumerable<TimeSpan> Call()
    {
        gateway.Budget.Pay();
        _retryAfter = gateway.NextRetryAfter();
        var startedAt = Time.Now;
        for (var attempt = 0; ; attempt++)
        {
            if (!gateway.Breaker.TryPass(out var ticket, out var closedFor))
            {
                // In whole seconds, as the header is.
                _retryAfter = TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling(closedFor.TotalSeconds)));
                yield break;
            }

            _isDone = Send();
            if (_wasToldReady && _isDone) Trace.RightProbes++;
            _wasToldReady = false;
            yield return Outage.AnswerTime;
            gateway.Breaker.Report(ticket, _isDone ? CallVerdict.Good : CallVerdict.Failed);
            if (_isDone || attempt >= gateway.Settings.RetryLimit) yield break;

            var delay = gateway.Schedule.DelayAfter(attempt, Random.NextDouble());
            if (Time.Now - startedAt + delay >= gateway.Settings.CallTimeout || !gateway.Budget.TryTake()) yield break;
            yield return delay;
            if (RecoverySchedule.AsksAfter(attempt))
            {
                Trace.Probes++;
                var isReady = Outage.IsReady(Time.Now);
                yield return Outage.AnswerTime;
                if (!isReady) yield break;
                Trace.ReadyProbes++;
                _wasToldReady = true;
            }
        }
    }
}

/// <summary>What the callers of one gateway share: the product's own classes and settings.</summary>
internal sealed class SharedGateway(TimeProvider time, GatewayRules rules, Random random)
{
    private int _turn;

    public ResilienceOptions Settings { get; } = new();

    public RecoverySchedule Schedule { get; } = new(new ResilienceOptions().RetryDelay, new ResilienceOptions().MaxRetryDelay);

    public RetryBudget Budget { get; } = new(new ResilienceOptions().RetryBudget);

    public HeartGrains.Resilience.Breaker Breaker { get; } = new("hearts", rules.Breaker, time, random.NextDouble);

    /// <summary>What the next caller who is given up is told.</summary>
    public TimeSpan NextRetryAfter() => rules.RetryAfter ?? TimeSpan.FromSeconds(RecoverySchedule.ComeBackSeconds(_turn++));
}

/// <summary>What may differ between simulated gateways.</summary>
/// <param name="Breaker">The rule of the breaker in front.</param>
/// <param name="RetryAfter">What a caller is told when his call was given up, where it is not the product's.</param>
internal sealed record GatewayRules(BreakerOptions Breaker, TimeSpan? RetryAfter)
{
    /// <summary>As delivered.</summary>
    public static GatewayRules Delivered { get; } = new(new BreakersOptions().Hearts, null);
}
