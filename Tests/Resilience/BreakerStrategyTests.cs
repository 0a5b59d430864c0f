using HeartGrains.Resilience;
using Microsoft.Extensions.Time.Testing;
using Polly;
using Polly.CircuitBreaker;

namespace HeartGrains.Tests.Resilience;

public sealed class BreakerStrategyTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Breaker _breaker;
    private readonly ResiliencePipeline<int> _pipeline;

    public BreakerStrategyTests()
    {
        _breaker = new Breaker("test", new BreakerOptions { MinimumCalls = 4, TripOn = "failure_rate", Jitter = 0 }, _time);
        _pipeline = new ResiliencePipelineBuilder<int>()
            .AddBreaker(_breaker, static outcome => outcome.Exception is not null ? CallVerdict.Failed : outcome.Result < 0 ? CallVerdict.Ignored : CallVerdict.Good)
            .Build();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Execute_CallsFail_TurnsAwayWithTheRestOfTheBreakAndComesBack(bool isLate)
    {
        for (var call = 0; call < 4; call++) await Should.ThrowAsync<IOException>(FailAsync(isLate));
        _time.Advance(Breaker.LookPeriod);
        (await Should.ThrowAsync<BrokenCircuitException>(FailAsync(isLate))).RetryAfter.ShouldBe(TimeSpan.FromSeconds(2));
        _time.Advance(TimeSpan.FromSeconds(2));
        (await _pipeline.ExecuteAsync(static _ => new ValueTask<int>(7), Cancel)).ShouldBe(7);
        _breaker.Look().State.ShouldBe(BreakerState.Closed);
    }

    [Fact]
    public async Task Execute_CallsSayNothing_AreNotCounted()
    {
        for (var call = 0; call < 10; call++) await _pipeline.ExecuteAsync(static _ => new ValueTask<int>(-1), Cancel);
        _breaker.Look().Reading.Calls.ShouldBe(0);
    }

    private Task<int> FailAsync(bool isLate) => _pipeline.ExecuteAsync(
        static async ValueTask<int> (isLate, _) =>
        {
            if (isLate) await Task.Yield();
            throw new IOException();
        },
        isLate, Cancel).AsTask();
}
