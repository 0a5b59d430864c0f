using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Ledger;

namespace HeartGrains.Tests.Hearts;

/// <summary>A real ledger that a test can hold up, break and write behind the grains' back; keeps what was committed, in order.</summary>
internal sealed class HookedLedger(IHeartLedger inner) : IHeartLedger, IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly List<HeartEvent[]> _batches = [];

    public delegate ValueTask<AppendOutcome> Append();

    /// <summary>Stands between an append and the ledger.</summary>
    public Func<HeartEvent[], Append, ValueTask<AppendOutcome>>? OnAppend { get; set; }

    /// <summary>Runs before a target or a heart is read.</summary>
    public Func<Task>? OnRead { get; set; }

    /// <summary>Runs when a target has been read, before it is told.</summary>
    public Func<Task>? OnLoaded { get; set; }

    /// <summary>Runs before an opening balance is set.</summary>
    public Func<Task>? OnSetOpening { get; set; }

    /// <summary>Runs before the log is asked who wrote what.</summary>
    public Func<Task>? OnFindVersions { get; set; }

    /// <summary>The batches that were committed, by whomever.</summary>
    public HeartEvent[][] Batches
    {
        get
        {
            lock (_lock) return [.. _batches];
        }
    }

    /// <summary>The ledger itself.</summary>
    public IHeartLedger Inner => inner;

    public static Task Refuse() => throw new LedgerException("The ledger is down.");

    public HeartEvent[] LogOf(Guid target) => [.. Batches.SelectMany(batch => batch).Where(row => row.Target == target)];

    /// <summary>Holds up every append from now on until the gate is opened.</summary>
    public LedgerGate Close()
    {
        var gate = new LedgerGate();
        OnAppend = async (_, append) =>
        {
            await gate.PassAsync();
            return await append();
        };
        return gate;
    }

    public Task InitializeAsync(string keyFingerprint, CancellationToken cancellationToken) => inner.InitializeAsync(keyFingerprint, cancellationToken);

    public ValueTask<AppendOutcome> AppendAsync(ReadOnlyMemory<HeartEvent> batch)
    {
        var rows = batch.ToArray();
        return OnAppend is { } hook ? hook(rows, () => CommitAsync(rows)) : CommitAsync(rows);
    }

    /// <summary>Writes past the hook, as another silo would.</summary>
    public async ValueTask<AppendOutcome> CommitAsync(params HeartEvent[] rows)
    {
        var outcome = await inner.AppendAsync(rows);
        if (outcome != AppendOutcome.Committed) return outcome;
        lock (_lock) _batches.Add(rows);
        return outcome;
    }

    public async ValueTask<IReadOnlyList<WrittenVersion>> FindVersionsAsync(ReadOnlyMemory<HeartEvent> batch, CancellationToken cancellationToken)
    {
        if (OnFindVersions is { } hook) await hook();
        return await inner.FindVersionsAsync(batch, cancellationToken);
    }

    public async ValueTask<TargetSnapshot> LoadAsync(Guid target, int recentLimit, CancellationToken cancellationToken)
    {
        if (OnRead is { } before) await before();
        var snapshot = await inner.LoadAsync(target, recentLimit, cancellationToken);
        if (OnLoaded is { } after) await after();
        return snapshot;
    }

    public async ValueTask<CurrentHeart?> FindHeartAsync(Guid target, HeartId heart, CancellationToken cancellationToken)
    {
        if (OnRead is { } hook) await hook();
        return await inner.FindHeartAsync(target, heart, cancellationToken);
    }

    public async ValueTask<bool> SetOpeningAsync(Guid target, string targetId, long opening, OpeningDecision decide, CancellationToken cancellationToken)
    {
        if (OnSetOpening is { } hook) await hook();
        return await inner.SetOpeningAsync(target, targetId, opening, decide, cancellationToken);
    }

    public ValueTask<HeartUserPage> ListUsersAsync(Guid target, long before, int limit, CancellationToken cancellationToken) =>
        inner.ListUsersAsync(target, before, limit, cancellationToken);

    public ValueTask<TopTarget[]> ListTopAsync(int limit, CancellationToken cancellationToken) => inner.ListTopAsync(limit, cancellationToken);

    public ValueTask<int> FoldAsync(int limit, CancellationToken cancellationToken) => inner.FoldAsync(limit, cancellationToken);

    public ValueTask CheckAsync(CancellationToken cancellationToken) => inner.CheckAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (inner is IAsyncDisposable later) await later.DisposeAsync();
        else (inner as IDisposable)?.Dispose();
    }

    public async Task FoldAllAsync()
    {
        while (await inner.FoldAsync(1000, CancellationToken.None) > 0)
        {
        }
    }
}

/// <summary>Where appends wait.</summary>
internal sealed class LedgerGate
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when the first append waits here.</summary>
    public Task Reached => _reached.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);

    public void Open() => _opened.TrySetResult();

    public Task PassAsync()
    {
        _reached.TrySetResult();
        return _opened.Task;
    }
}
