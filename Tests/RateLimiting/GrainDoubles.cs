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
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
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
        return ValueTask.FromResult(Policies.Seat(0, Policies.User));
    }

    public ValueTask<SeatCount> CountAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult(new SeatCount(2, Policies.LeaseMillis));
}

/// <summary>A key's grain that never answers.</summary>
internal sealed class SilentRateLimitGrain : IRateLimitGrain
{
    public ValueTask<QuotaDecision> AcquireAsync(QuotaClaim[] claims, CancellationToken cancellationToken = default) => NeverAsync<QuotaDecision>(cancellationToken);

    public Task ReturnAsync(QuotaClaim[] claims, QuotaReceipt receipt) => Task.CompletedTask;

    public ValueTask<QuotaVerdict[]> ReadAsync(string[] policies, CancellationToken cancellationToken = default) => NeverAsync<QuotaVerdict[]>(cancellationToken);

    public async ValueTask ResetAsync(CancellationToken cancellationToken = default) => await NeverAsync<int>(cancellationToken);

    private static ValueTask<T> NeverAsync<T>(CancellationToken cancellationToken) => new(new TaskCompletionSource<T>().Task.WaitAsync(cancellationToken));
}

/// <summary>Knows the seats grain it is given and users' grains that are silent, unless it is given one for all.</summary>
public class GrainFactoryDouble : DispatchProxy
{
    private IGatewaySeatsGrain? _seats;
    private Func<IRateLimitGrain> _users = static () => new SilentRateLimitGrain();

    public static IGrainFactory Of(IGatewaySeatsGrain seats)
    {
        var proxy = Create<IGrainFactory, GrainFactoryDouble>();
        ((GrainFactoryDouble)(object)proxy)._seats = seats;
        return proxy;
    }

    public static IGrainFactory Of(Func<IRateLimitGrain> users)
    {
        var proxy = Create<IGrainFactory, GrainFactoryDouble>();
        ((GrainFactoryDouble)(object)proxy)._users = users;
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod!.ReturnType == typeof(IGatewaySeatsGrain) ? _seats : _users();
}
