using Orleans.Concurrency;

namespace HeartGrains.Live;

/// <summary>A gateway as silos see it: whom to tell what has changed of the targets it watches.</summary>
[Alias("live.ILiveObserver")]
public interface ILiveObserver : IGrainObserver
{
    /// <summary>
    /// Tells a batch. Nobody waits for it, so that a gateway that is gone holds nothing up; what is lost is told by the next renewal of its watches.
    /// </summary>
    [OneWay, Alias("Told")]
    ValueTask ToldAsync(LiveBatch batch);
}

/// <summary>What one silo has to tell one gateway, of all targets in one message.</summary>
/// <param name="Updates">Targets that have changed, each with its latest committed state.</param>
/// <param name="Lost">Targets whose activation has gone, and the watch with it: to be watched again.</param>
[GenerateSerializer, Immutable, Alias("live.LiveBatch")]
public readonly record struct LiveBatch([property: Id(0)] LiveUpdate[] Updates, [property: Id(1)] string[] Lost);

/// <summary>The committed state of a target.</summary>
[GenerateSerializer, Immutable, Alias("live.LiveUpdate")]
public readonly record struct LiveUpdate([property: Id(0)] string TargetId, [property: Id(1)] long Count, [property: Id(2)] long Version);
