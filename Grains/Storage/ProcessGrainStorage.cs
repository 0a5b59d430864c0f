using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Storage;

namespace HeartGrains.Storage;

/// <summary>
/// Grain storage in this process's memory, for the one-process modes. Orleans' own keeps the state in grains, which a stopping silo takes away
/// beside the grains that use them: every stop filled the log with failed writes. A state is kept as it is, so it must not be changed
/// after it was written.
/// </summary>
internal sealed class ProcessGrainStorage : IGrainStorage
{
    private readonly ConcurrentDictionary<(string StateName, GrainId Grain), Row> _rows = new();

    /// <inheritdoc/>
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var row = _rows.GetValueOrDefault((stateName, grainId));
        grainState.State = row is null ? Activator.CreateInstance<T>() : (T)row.State;
        (grainState.ETag, grainState.RecordExists) = (row?.ETag, row is not null);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    /// <exception cref="InconsistentStateException">Another activation wrote since this one read.</exception>
    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var row = new Row(grainState.State!, Guid.NewGuid().ToString());
        var key = (stateName, grainId);
        var isWritten = grainState.ETag is null ? _rows.TryAdd(key, row) : _rows.TryUpdate(key, row, Expected(key, grainState.ETag));
        if (!isWritten) throw Inconsistent(key, grainState.ETag);
        (grainState.ETag, grainState.RecordExists) = (row.ETag, true);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    /// <exception cref="InconsistentStateException">Another activation wrote since this one read.</exception>
    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var key = (stateName, grainId);
        if (grainState.ETag is { } etag && !_rows.TryRemove(KeyValuePair.Create(key, Expected(key, etag)))) throw Inconsistent(key, etag);
        grainState.State = Activator.CreateInstance<T>();
        (grainState.ETag, grainState.RecordExists) = (null, false);
        return Task.CompletedTask;
    }

    private Row Expected((string StateName, GrainId Grain) key, string etag) =>
        _rows.GetValueOrDefault(key) is { } row && row.ETag == etag ? row : throw Inconsistent(key, etag);

    private InconsistentStateException Inconsistent((string StateName, GrainId Grain) key, string? etag) =>
        new($"The state {key.StateName} was changed by another activation.", _rows.GetValueOrDefault(key)?.ETag, etag);

    private sealed record Row(object State, string ETag);
}

/// <summary>Wires the storage into a silo.</summary>
public static class ProcessGrainStorageHosting
{
    /// <summary>Keeps the states of the storage <paramref name="name"/> in this process's memory.</summary>
    public static ISiloBuilder AddProcessGrainStorage(this ISiloBuilder silo, string name)
    {
        silo.Services.AddKeyedSingleton<IGrainStorage>(name, new ProcessGrainStorage());
        return silo;
    }
}
