using System.Threading.Tasks.Sources;
using HeartGrains.Diagnostics;
using HeartGrains.Ledger;
using Microsoft.Extensions.ObjectPool;

namespace HeartGrains.Hearts;

/// <summary>
/// One event on its way to the ledger and the call that waits for it: queue entry and awaitable in one pooled object. Awaited and
/// completed only on its grain's scheduler, so nothing here is synchronised and the continuation runs in the turn that completes it.
/// </summary>
internal sealed class HeartCall : LedgerEntry, IValueTaskSource<HeartReceipt>
{
    private static readonly CountedPool<HeartCall> Pool = new(new Policy(), maximumRetained: 4096);

    private Action<object?>? _continuation;
    private object? _continuationState;
    private HeartReceipt _receipt;
    private TaskCompletionSource<HeartOutcome>? _joined;
    private short _token;
    private bool _isCompleted;

    /// <summary>Rents since the start of the process, by whether the pool had a call at hand.</summary>
    public static (long Hits, long Misses) Rents => Pool.Rents;

    public static HeartCall Rent() => Pool.Get();

    public ValueTask<HeartReceipt> AsTask() => new(this, _token);

    /// <summary>
    /// For calls of the same user that came later: ends with this one, and tells how it ended. <see cref="HeartOutcome.Committed"/> means
    /// that they may decide now.
    /// </summary>
    public Task<HeartOutcome> JoinAsync() =>
        (_joined ??= new TaskCompletionSource<HeartOutcome>(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>Answers the caller.</summary>
    public void Complete(in HeartReceipt receipt)
    {
        _receipt = receipt;
        _isCompleted = true;
        _joined?.TrySetResult(receipt.Outcome);
        _continuation?.Invoke(_continuationState);
    }

    /// <summary>Gives back a call that was never awaited; those who joined it see <paramref name="outcome"/>.</summary>
    public void Return(HeartOutcome outcome)
    {
        _joined?.TrySetResult(outcome);
        Pool.Return(this);
    }

    HeartReceipt IValueTaskSource<HeartReceipt>.GetResult(short token)
    {
        EnsureCurrent(token);
        var receipt = _receipt;
        Pool.Return(this);
        return receipt;
    }

    ValueTaskSourceStatus IValueTaskSource<HeartReceipt>.GetStatus(short token)
    {
        EnsureCurrent(token);
        return _isCompleted ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Pending;
    }

    void IValueTaskSource<HeartReceipt>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        EnsureCurrent(token);
        (_continuation, _continuationState) = (continuation, state);
        if (_isCompleted) continuation(state);
    }

    private void EnsureCurrent(short token)
    {
        if (token != _token) throw new InvalidOperationException("The call was awaited twice.");
    }

    private sealed class Policy : PooledObjectPolicy<HeartCall>
    {
        public override HeartCall Create() => new();

        public override bool Return(HeartCall call)
        {
            call._token++;
            call._isCompleted = false;
            call._continuation = null;
            call._continuationState = null;
            call._joined = null;
            call.Stream = null!;
            call.Next = null;
            call.UserId = "";
            call.Trace = null;
            call.Origin = null;
            call.FromUserId = null;
            call.Outcome = EntryOutcome.Pending;
            return true;
        }
    }
}
