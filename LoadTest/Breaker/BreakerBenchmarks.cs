using BenchmarkDotNet.Attributes;
using HeartGrains.Resilience;
using Polly;
using Polly.CircuitBreaker;

namespace HeartGrains.LoadTest.Breaker;

/// <summary>One call each, on one thread, through the breaker and its parts, beside a pipeline without one and with the library's. Callbacks complete at once.</summary>
public class BreakerBenchmarks
{
    /// <summary>The pipeline that the others are compared with.</summary>
    public const string None = "pipeline: nothing";

    /// <summary>The pipeline with our breaker.</summary>
    public const string Ours = "pipeline: AddBreaker";

    /// <summary>A call recorded.</summary>
    public const string Recording = "record, good";

    private const long LatencyTicks = 5_000_000;

    private readonly ResilienceContext _context = ResilienceContextPool.Shared.Get(CancellationToken.None);
    private BreakerWindow _window = null!;
    private Resilience.Breaker _breaker = null!;
    private ResiliencePipeline<int> _none = null!;
    private ResiliencePipeline<int> _ours = null!;
    private ResiliencePipeline<int> _library = null!;

    /// <summary>Breakers that stay closed, on the machine's clock, with the rule of hearts.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var (clock, rule) = (TimeProvider.System, new BreakersOptions().Hearts);
        _window = new BreakerWindow(rule.Window, rule.P95, clock.TimestampFrequency, clock.GetTimestamp());
        _breaker = new Resilience.Breaker("benchmark", rule, clock);
        _none = new ResiliencePipelineBuilder<int>().Build();
        _ours = new ResiliencePipelineBuilder<int>()
            .AddBreaker(_breaker, static outcome => outcome.Exception is null ? CallVerdict.Good : CallVerdict.Failed)
            .Build();
        _library = new ResiliencePipelineBuilder<int>()
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<int> { FailureRatio = rule.FailureRate, MinimumThroughput = rule.MinimumCalls, SamplingDuration = rule.Window })
            .Build();
    }

    /// <summary>What a good answer in time costs the window.</summary>
    [Benchmark(Description = Recording)]
    public void RecordGood() => _window.Record(LatencyTicks, hasFailed: false);

    /// <summary>What the worst costs: a late failure is counted four times.</summary>
    [Benchmark(Description = "record, failed and slow")]
    public void RecordBad() => _window.Record(long.MaxValue / 4, hasFailed: true);

    /// <summary>Two readings of the clock, which passing and reporting need.</summary>
    [Benchmark(Description = "clock, read twice")]
    public long ClockTwice() => TimeProvider.System.GetTimestamp() - TimeProvider.System.GetTimestamp();

    /// <summary>A call that passes and is reported.</summary>
    [Benchmark(Description = "TryPass and Report")]
    public bool PassAndReport()
    {
        if (!_breaker.TryPass(out var ticket, out _)) return false;
        _breaker.Report(ticket, CallVerdict.Good);
        return true;
    }

    /// <summary>A pipeline without strategies.</summary>
    [Benchmark(Baseline = true, Description = None)]
    public int WithNothing() => Execute(_none);

    /// <summary>Our breaker alone in the pipeline.</summary>
    [Benchmark(Description = Ours)]
    public int WithOurs() => Execute(_ours);

    /// <summary>The library's alone in it: its rule knows failures, and no latencies.</summary>
    [Benchmark(Description = "pipeline: Polly's own")]
    public int WithLibrary() => Execute(_library);

    private int Execute(ResiliencePipeline<int> pipeline)
    {
        var call = pipeline.ExecuteOutcomeAsync(static (_, answer) => Outcome.FromResultAsValueTask(answer), _context, 7);
        return call.IsCompleted ? call.Result.Result : -1;
    }
}
