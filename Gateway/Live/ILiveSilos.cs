using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.Live;

namespace HeartGrains.Gateway.Live;

/// <summary>What the hub asks of silos.</summary>
internal interface ILiveSilos
{
    /// <summary>Begins or renews a watch; null when the target could not be read. Does not throw.</summary>
    Task<HeartState?> WatchAsync(string targetId, ILiveObserver observer);

    /// <summary>Ends one, if a silo can be reached. Does not throw.</summary>
    Task UnwatchAsync(string targetId, ILiveObserver observer);
}

/// <summary>The silos behind the pipeline of grain calls.</summary>
internal sealed class LiveSilos(GrainCalls calls) : ILiveSilos
{
    public async Task<HeartState?> WatchAsync(string targetId, ILiveObserver observer)
    {
        var call = new LiveCall(targetId, observer, isWatched: true);
        return await calls.CallAsync(call) == CallStatus.Answered && call.Outcome == HeartOutcome.Committed ? call.Value : null;
    }

    public async Task UnwatchAsync(string targetId, ILiveObserver observer) => await calls.CallAsync(new LiveCall(targetId, observer, isWatched: false));
}

/// <summary>Watches a target, or no more.</summary>
internal sealed class LiveCall(string targetId, ILiveObserver observer, bool isWatched) : GrainCall<HeartState>
{
    private IHeartGrain _grain = null!;
    private ILiveObserver _observer = null!;

    public override GrainPath Path => GrainPath.Live;

    public override void Address(GrainAddresses addresses)
    {
        _grain = addresses.Heart(targetId);
        _observer = addresses.Observer(observer);
    }

    protected override async ValueTask<HeartState> SendAsync(CancellationToken cancellationToken)
    {
        if (isWatched) return await _grain.WatchAsync(_observer, cancellationToken);
        await _grain.UnwatchAsync(_observer, cancellationToken);
        return default;
    }

    protected override HeartOutcome OutcomeOf(in HeartState value) => value.Outcome;
}
