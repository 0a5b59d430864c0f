using System.Reflection;
using HeartGrains.RateLimiting;

namespace HeartGrains.Tests.RateLimiting;

/// <summary>Grants a seat, after doing what the test wants to happen during the call.</summary>
internal sealed class SeatsGrainDouble : IGatewaySeatsGrain
{
    private int _calls;

    public Action OnCall { get; set; } = () => { };

    public async Task CallsReachAsync(int calls)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (Volatile.Read(ref _calls) < calls)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public ValueTask<GatewaySeat> RenewAsync(Guid gatewayId, CancellationToken cancellationToken = default)
    {
        var onCall = OnCall;
        Interlocked.Increment(ref _calls);
        onCall();
        return ValueTask.FromResult(new GatewaySeat(60, 1, 2, 15));
    }
}

/// <summary>A user's grain that never answers.</summary>
internal sealed class SilentRateLimitGrain : IRateLimitGrain
{
    public ValueTask<RateLimitDecision> AcquireAsync(int tokens, CancellationToken cancellationToken = default) =>
        new(new TaskCompletionSource<RateLimitDecision>().Task.WaitAsync(cancellationToken));
}

/// <summary>Knows the seats grain it is given and users' grains that are silent.</summary>
public class GrainFactoryDouble : DispatchProxy
{
    private IGatewaySeatsGrain? _seats;

    public static IGrainFactory Of(IGatewaySeatsGrain seats)
    {
        var proxy = Create<IGrainFactory, GrainFactoryDouble>();
        ((GrainFactoryDouble)(object)proxy)._seats = seats;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.ReturnType == typeof(IGatewaySeatsGrain) ? _seats : new SilentRateLimitGrain();
}
