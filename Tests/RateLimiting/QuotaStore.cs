using System.Collections.Concurrent;
using Orleans.Runtime;
using Orleans.Storage;

namespace HeartGrains.Tests.RateLimiting;

/// <summary>A grain storage in memory that checks versions, counts writes, and fails when told to.</summary>
internal sealed class QuotaStore : IGrainStorage
{
    private readonly ConcurrentDictionary<(string State, GrainId Grain), (object Value, string Version)> _rows = new();
    private readonly ConcurrentDictionary<GrainId, int> _writes = new();
    private int _version;

    public bool IsDown { get; set; }

    /// <summary>What reads and writes wait for.</summary>
    public Task Until { get; set; } = Task.CompletedTask;

    /// <summary>When set, fails for all grains but this one.</summary>
    public GrainId? OnlyFor { get; set; }

    /// <summary>Runs while a row is written, before the writer goes on.</summary>
    public Action<GrainId>? OnWrite { get; set; }

    public int WritesOf(GrainId grain) => _writes.GetValueOrDefault(grain);

    public bool Holds(GrainId grain) => _rows.Keys.Any(key => key.Grain == grain);

    /// <summary>Writes the row as another activation would: its version is a new one.</summary>
    public void Touch(GrainId grain)
    {
        foreach (var key in _rows.Keys.Where(key => key.Grain == grain)) _rows[key] = (_rows[key].Value, NextVersion());
    }

    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await Until;
        ThrowIfDown();
        grainState.RecordExists = _rows.TryGetValue((stateName, grainId), out var row);
        grainState.ETag = row.Version;
        grainState.State = grainState.RecordExists ? (T)row.Value : Activator.CreateInstance<T>();
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        await Until;
        Check(stateName, grainId, grainState.ETag);
        OnWrite?.Invoke(grainId);
        _writes.AddOrUpdate(grainId, 1, static (_, count) => count + 1);
        grainState.ETag = NextVersion();
        grainState.RecordExists = true;
        _rows[(stateName, grainId)] = (grainState.State!, grainState.ETag);
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        Check(stateName, grainId, grainState.ETag);
        _rows.TryRemove((stateName, grainId), out _);
        grainState.ETag = null;
        grainState.RecordExists = false;
        return Task.CompletedTask;
    }

    private string NextVersion() => Interlocked.Increment(ref _version).ToString();

    private void Check(string stateName, GrainId grainId, string? version)
    {
        ThrowIfDown();
        if (OnlyFor is { } only && only != grainId) throw new IOException("The store is down for this grain.");
        _rows.TryGetValue((stateName, grainId), out var row);
        if (row.Version != version) throw new InconsistentStateException($"Stored {row.Version}, known {version}.");
    }

    private void ThrowIfDown()
    {
        if (IsDown) throw new IOException("The store is down.");
    }
}
