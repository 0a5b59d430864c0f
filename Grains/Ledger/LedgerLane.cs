namespace HeartGrains.Ledger;

/// <summary>What became of an entry that was to wait for its batch.</summary>
internal enum EnqueueResult : byte
{
    Queued,

    /// <summary>Too many wait already, or the silo is stopping.</summary>
    Full,

    /// <summary>The append under way hangs: to wait for it would only be to fail with it, later.</summary>
    Stalled,
}

/// <summary>A bounded queue with one committer behind it: while a batch is being committed the next one gathers.</summary>
internal sealed class LedgerLane(IHeartLedger ledger, BatchCommit commit, LedgerOptions options, TimeProvider time) : IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private readonly Queue<LedgerEntry> _waiting = new();
    private readonly List<LedgerEntry> _batch = new(options.BatchLimit);
    private readonly int _queueLimit = Math.Max(1, options.QueueLimit / options.Lanes);
    private TaskCompletionSource? _stopped;
    private readonly long _stallTicks = (long)(options.StallTime.TotalSeconds * time.TimestampFrequency);
    private readonly long _deadlineTicks = (long)(options.AppendDeadline.TotalSeconds * time.TimestampFrequency);
    private long _startedAt;
    private bool _isRunning;

    /// <summary>Entries waiting, those being committed not counted.</summary>
    public int Depth
    {
        get
        {
            lock (_gate) return _waiting.Count;
        }
    }

    public EnqueueResult Enqueue(LedgerEntry entry)
    {
        lock (_gate)
        {
            if (_isRunning && entry.QueuedAt - _startedAt > _stallTicks) return EnqueueResult.Stalled;
            if (_waiting.Count >= _queueLimit || _stopped is not null) return EnqueueResult.Full;
            _waiting.Enqueue(entry);
            if (_isRunning) return EnqueueResult.Queued;
            _isRunning = true;
            _startedAt = entry.QueuedAt;
        }

        if (ledger.IsSynchronous) Execute();
        else ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return EnqueueResult.Queued;
    }

    public Task StopAsync()
    {
        lock (_gate)
        {
            _stopped ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!_isRunning) _stopped.TrySetResult();
            return _stopped.Task;
        }
    }

    public void Execute() => _ = DrainAsync();

    private async Task DrainAsync()
    {
        while (TakeBatch())
        {
            // Callers that came together come again together: a moment's patience makes one commit of what would be several.
            var isCrowd = _batch.Count > 1;
            await commit.CommitAsync(_batch);
            if (isCrowd && options.CommitDelay > TimeSpan.Zero) await Task.Delay(options.CommitDelay, time);
        }
    }

    /// <summary>Takes what waits; what has waited for too long is settled as not written.</summary>
    private bool TakeBatch()
    {
        _batch.Clear();
        lock (_gate)
        {
            // Behind an append that hung a short wait is too long; in a queue that is only long it is not.
            var now = time.GetTimestamp();
            var oldest = now - (now - _startedAt > _stallTicks ? _stallTicks : _deadlineTicks);
            _startedAt = now;
            while (_batch.Count < options.BatchLimit && _waiting.TryDequeue(out var entry))
            {
                if (entry.Stream.IsStale) entry.Stream.Settle(entry, EntryOutcome.Conflict);
                else if (entry.QueuedAt < oldest) entry.Stream.Settle(entry, EntryOutcome.Refused);
                else _batch.Add(entry);
            }

            if (_batch.Count > 0) return true;
            _isRunning = false;
            _stopped?.TrySetResult();
            return false;
        }
    }
}
