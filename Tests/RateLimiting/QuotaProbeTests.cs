using System.Diagnostics;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.RateLimiting;

namespace HeartGrains.Tests.RateLimiting;

public class QuotaProbeTests
{
    /// <summary>It may go on for as long as a silo hangs; the request it came of is answered long before.</summary>
    [Fact]
    public async Task Doubt_OfATracedCall_IsNoPartOfItsTrace()
    {
        var grain = new TracedRateLimitGrain();
        var calls = GrainCallsOver.Grains(GrainFactoryDouble.Of(() => grain), TimeProvider.System);
        var ask = new QuotaAsk(QuotaDimension.User, "u");
        ask.Add(Policies.Prepared(TimeProvider.System, 0, Policies.User).Policies[0], default, 1);
        using var request = new Activity("request").Start();

        new QuotaProbe(calls, TimeProvider.System).Doubt(ask);

        (await grain.FirstAsync()).ShouldBe("none");
        (await grain.SecondAsync()).ShouldBe("none");
        Activity.Current.ShouldBeSameAs(request);
        calls.Dispose();
    }

    /// <summary>Fails the first call and answers the next; keeps the traces they were part of.</summary>
    private sealed class TracedRateLimitGrain : IRateLimitGrain
    {
        private readonly TaskCompletionSource<string> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<string> _second = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> FirstAsync() => _first.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);

        public Task<string> SecondAsync() => _second.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);

        public ValueTask<QuotaDecision> AcquireAsync(QuotaClaim[] claims, CancellationToken cancellationToken = default)
        {
            var trace = Activity.Current?.TraceId.ToHexString() ?? "none";
            if (_first.TrySetResult(trace)) throw new TimeoutException();
            _second.TrySetResult(trace);
            return ValueTask.FromResult(new QuotaDecision(false, [QuotaVerdict.Unknown], default));
        }

        public Task ReturnAsync(QuotaClaim[] claims, QuotaReceipt receipt) => Task.CompletedTask;

        public ValueTask<QuotaVerdict[]> ReadAsync(string[] policies, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public ValueTask ResetAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();
    }
}
