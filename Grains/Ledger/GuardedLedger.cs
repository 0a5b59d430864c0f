using HeartGrains.Audit;
using HeartGrains.Hearts;
using HeartGrains.Resilience;

namespace HeartGrains.Ledger;

/// <summary>
/// A ledger behind its breaker: while that is open, appends are refused and reads fail at once instead of waiting for a store that does not answer. What only a
/// store that answers needs (the fold, its health, finding out who wrote) goes to it as it is. Appends are what it judges by: reads that succeed, and openings that are set, are neither in its figures, where they
/// would hide appends that fail or are slow, nor do they end a break that those began. Reads that fail count.
/// </summary>
internal sealed class GuardedLedger(IHeartLedger inner, Breaker breaker, TimeProvider time) : IHeartLedger, IAsyncDisposable
{
    private long _badAppendAt = long.MinValue;

    /// <inheritdoc/>
    public bool IsSynchronous => inner.IsSynchronous;

    /// <inheritdoc/>
    public Task InitializeAsync(string keyFingerprint, CancellationToken cancellationToken) => inner.InitializeAsync(keyFingerprint, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<AppendOutcome> AppendAsync(ReadOnlyMemory<HeartEvent> batch)
    {
        // Nothing is sent, so nothing can have been written.
        if (!breaker.TryPass(out var ticket, out _)) return new(AppendOutcome.Refused);
        ValueTask<AppendOutcome> append;
        try
        {
            append = inner.AppendAsync(batch);
        }
        catch
        {
            Report(ticket, AppendOutcome.Unknown);
            throw;
        }

        if (!append.IsCompletedSuccessfully) return AwaitAsync(append, ticket);
        var outcome = append.Result;
        Report(ticket, outcome);
        return new(outcome);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<WrittenVersion>> FindVersionsAsync(ReadOnlyMemory<HeartEvent> batch, CancellationToken cancellationToken) =>
        inner.FindVersionsAsync(batch, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<TargetSnapshot> LoadAsync(Guid target, int recentLimit, CancellationToken cancellationToken) =>
        ReadAsync(cancellation => inner.LoadAsync(target, recentLimit, cancellation), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<CurrentHeart?> FindHeartAsync(Guid target, HeartId heart, CancellationToken cancellationToken) =>
        ReadAsync(cancellation => inner.FindHeartAsync(target, heart, cancellation), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> SetOpeningAsync(Guid target, string targetId, long opening, OpeningDecision decide, CancellationToken cancellationToken) =>
        ReadAsync(cancellation => inner.SetOpeningAsync(target, targetId, opening, decide, cancellation), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<HeartUserPage> ListUsersAsync(Guid target, long before, int limit, CancellationToken cancellationToken) =>
        ReadAsync(cancellation => inner.ListUsersAsync(target, before, limit, cancellation), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<TopTarget[]> ListTopAsync(int limit, CancellationToken cancellationToken) =>
        ReadAsync(cancellation => inner.ListTopAsync(limit, cancellation), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<int> FoldAsync(int limit, CancellationToken cancellationToken) => inner.FoldAsync(limit, cancellationToken);

    /// <inheritdoc/>
    public ValueTask CheckAsync(CancellationToken cancellationToken) => inner.CheckAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (inner is IAsyncDisposable later) await later.DisposeAsync();
        else (inner as IDisposable)?.Dispose();
    }

    private async ValueTask<AppendOutcome> AwaitAsync(ValueTask<AppendOutcome> append, BreakerTicket ticket)
    {
        var outcome = AppendOutcome.Unknown;
        try
        {
            return outcome = await append;
        }
        finally
        {
            Report(ticket, outcome);
        }
    }

    private async ValueTask<T> ReadAsync<T>(Func<CancellationToken, ValueTask<T>> read, CancellationToken cancellationToken)
    {
        if (!breaker.TryPass(out var ticket, out _)) throw new LedgerException("The ledger is not asked for a moment, after failures.");
        var verdict = CallVerdict.Failed;
        try
        {
            var result = await read(cancellationToken);
            verdict = AreAppendsBad ? CallVerdict.Ignored : CallVerdict.Reached;
            return result;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            verdict = CallVerdict.Ignored;
            throw;
        }
        finally
        {
            breaker.Report(ticket, verdict);
        }
    }

    /// <summary>One was, within the breaker's window.</summary>
    private bool AreAppendsBad => Volatile.Read(ref _badAppendAt) is var at and not long.MinValue && time.GetElapsedTime(at) < breaker.Options.Window;

    private void Report(in BreakerTicket ticket, AppendOutcome outcome)
    {
        var isFailed = outcome is AppendOutcome.Refused or AppendOutcome.Unknown;
        var now = time.GetTimestamp();
        if (isFailed || time.GetElapsedTime(ticket.PassedAt, now) > breaker.Options.P95) Volatile.Write(ref _badAppendAt, now);
        else if (_badAppendAt != long.MinValue) Volatile.Write(ref _badAppendAt, long.MinValue);
        breaker.Report(ticket, isFailed ? CallVerdict.Failed : CallVerdict.Good);
    }
}
