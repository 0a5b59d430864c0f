using HeartGrains.Diagnostics;
using HeartGrains.Hearts;
using HeartGrains.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Storage;

namespace HeartGrains.Storage;

/// <summary>
/// A storage that knows whose a quota is by a keyed hash, so that what somebody has spent may stay when they are forgotten, and whose failures name no grain, whose key may be a user, and can be sent to the
/// caller, which a driver's exceptions cannot. One line a second tells of all of them: in an outage each call fails.
/// </summary>
internal sealed partial class NamelessGrainStorage(IGrainStorage inner, HeartKeys keys, TimeProvider time, ILogger logger) : IGrainStorage
{
    private readonly Throttle _throttle = new(time.TimestampFrequency);

    /// <inheritdoc/>
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ReadStateAsync(stateName, grainId, grainState, CancellationToken.None);

    /// <inheritdoc/>
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken) =>
        GuardAsync(inner.ReadStateAsync(stateName, PlaceOf(grainId), grainState, cancellationToken), "read", stateName, cancellationToken);

    /// <inheritdoc/>
    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        WriteStateAsync(stateName, grainId, grainState, CancellationToken.None);

    /// <inheritdoc/>
    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken) =>
        GuardAsync(inner.WriteStateAsync(stateName, PlaceOf(grainId), grainState, cancellationToken), "written", stateName, cancellationToken);

    /// <inheritdoc/>
    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ClearStateAsync(stateName, grainId, grainState, CancellationToken.None);

    /// <inheritdoc/>
    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken) =>
        GuardAsync(inner.ClearStateAsync(stateName, PlaceOf(grainId), grainState, cancellationToken), "cleared", stateName, cancellationToken);

    /// <summary>Under which key the state of a grain is kept: a quota's dimension, and a hash of whose it is.</summary>
    private GrainId PlaceOf(GrainId grain)
    {
        var key = grain.Key.ToString()!;
        return QuotaKey.DimensionOf(key) is { } dimension ? GrainId.Create(grain.Type, IdSpan.Create(QuotaKey.Of(dimension, keys.OfSubject("quota " + key)))) : grain;
    }

    private async Task GuardAsync(Task call, string doing, string stateName, CancellationToken cancellationToken)
    {
        try
        {
            await call;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw Nameless(doing, stateName, exception);
        }
    }

    private OrleansException Nameless(string doing, string stateName, Exception exception)
    {
        // Two activations met: no trouble of the store, and Orleans deals with it.
        if (exception is InconsistentStateException inconsistent)
            return new InconsistentStateException("Another activation has changed this state.", inconsistent.StoredEtag, inconsistent.CurrentEtag);

        var reason = exception.GetBaseException().Message;
        if (_throttle.TryPass(time.GetTimestamp(), out var count)) Log.Failed(logger, doing, count, stateName, reason);
        return new OrleansException($"The state {stateName} could not be {doing}: {reason}");
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Grain state could not be {Doing}, {Count} times since this was last told, last {State}: {Reason}", EventName = "GrainStorageFailed")]
        public static partial void Failed(ILogger logger, string doing, int count, string state, string reason);
    }
}

/// <summary>Wires the storage into a silo.</summary>
internal static class NamelessGrainStorageHosting
{
    // Orleans logs each failure, with the grain's id, under the storage's own type.
    private const string LogCategory = "HeartGrains.Storage.GrainStorage";

    /// <summary>The storage <paramref name="name"/> is the storage <paramref name="inner"/>.</summary>
    public static void AddNamelessGrainStorage(this ISiloBuilder silo, string name, string inner) =>
        silo.Services.AddKeyedSingleton<IGrainStorage>(name, (services, _) => new NamelessGrainStorage(
            services.GetRequiredKeyedService<IGrainStorage>(inner),
            services.GetRequiredService<HeartKeys>(),
            services.GetService<TimeProvider>() ?? TimeProvider.System,
            services.GetRequiredService<ILoggerFactory>().CreateLogger(LogCategory)));
}
