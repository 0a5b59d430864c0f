using HeartGrains.Diagnostics;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Ledger;

/// <summary>
/// Commits one batch and settles each of its entries: numbers the events, appends, and when the append fails finds out whose fault
/// it was. A conflict costs only its own target; a lost answer is asked for again until the deadline.
/// </summary>
internal sealed partial class BatchCommit(
    IHeartLedger ledger, LedgerOptions options, TimeProvider time, GrainMetrics metrics, ILogger logger)
{
    private static readonly TimeSpan PauseBeforeAskingAgain = TimeSpan.FromMilliseconds(50);
    private static readonly Comparison<LedgerEntry> ByTargetThenOrder = static (left, right) =>
        left.Stream.Target.CompareTo(right.Stream.Target) is var order and not 0 ? order : left.Order.CompareTo(right.Order);

    // An entry has one event or two.
    private readonly HeartEvent[] _events = new HeartEvent[2 * options.BatchLimit];
    private int _count;

    /// <summary>Settles every entry of <paramref name="batch"/>; never throws.</summary>
    public async ValueTask CommitAsync(List<LedgerEntry> batch)
    {
        var started = time.GetTimestamp();
        for (var i = 0; i < batch.Count; i++) batch[i].Order = i;
        batch.Sort(ByTargetThenOrder);
        using var trace = BatchTrace.Start(batch, time);
        RefuseSecondStreams(batch);
        metrics.BatchStarted(batch.Count);
        await AppendAsync(batch);
        metrics.BatchEnded(time.GetElapsedTime(started));
    }

    /// <summary>Two activations of one target in one silo and batch: the first goes on, the other reloads.</summary>
    private static void RefuseSecondStreams(List<LedgerEntry> batch)
    {
        LedgerStream? stream = null;
        foreach (var entry in batch)
        {
            if (stream is null || stream.Target != entry.Stream.Target) stream = entry.Stream;
            else if (stream != entry.Stream) entry.Stream.IsStale = true;
        }

        SettleStale(batch);
    }

    private async ValueTask AppendAsync(List<LedgerEntry> batch)
    {
        try
        {
            await AppendUntilSettledAsync(batch);
        }
        catch (Exception exception)
        {
            Log.CommitFailed(logger, exception);
            SettleAll(batch, EntryOutcome.Unknown);
        }
    }

    private async ValueTask AppendUntilSettledAsync(List<LedgerEntry> batch)
    {
        var mayBeWritten = false;
        var deadline = time.GetTimestamp() + (long)(options.AppendDeadline.TotalSeconds * time.TimestampFrequency);
        while (batch.Count > 0)
        {
            switch (await ledger.AppendAsync(Number(batch)))
            {
                case AppendOutcome.Committed:
                    SettleAll(batch, EntryOutcome.Committed);
                    return;
                case AppendOutcome.Conflict when await TryResolveAsync(batch):
                    // A row of the batch was there, so the append whose answer was lost either wrote it or was rolled back by it.
                    mayBeWritten = false;
                    continue;
                case AppendOutcome.Refused when !mayBeWritten:
                    SettleAll(batch, EntryOutcome.Refused);
                    return;
                case AppendOutcome.Poison when !mayBeWritten:
                    await HalveAsync(batch);
                    return;
                default:
                    mayBeWritten = true;
                    break;
            }

            if (time.GetTimestamp() >= deadline)
            {
                Log.OutcomeUnknown(logger, batch.Count);
                SettleAll(batch, EntryOutcome.Unknown);
                return;
            }

            await Task.Delay(PauseBeforeAskingAgain, time);
        }
    }

    /// <summary>
    /// After a conflict: what the log holds of ours was written by an append whose answer was lost; where a rival wrote, the stream is
    /// stale; the rest stays in the batch. False when the log could not be read or explains nothing.
    /// </summary>
    private async ValueTask<bool> TryResolveAsync(List<LedgerEntry> batch)
    {
        IReadOnlyList<WrittenVersion> written;
        try
        {
            written = await ledger.FindVersionsAsync(_events.AsMemory(0, _count), CancellationToken.None);
        }
        catch (LedgerException exception)
        {
            Log.CannotResolve(logger, exception);
            return false;
        }

        metrics.Conflict();
        var writers = written.ToDictionary(row => (row.Target, row.Version), row => row.Writer);
        foreach (var entry in batch)
            if (IsRivals(entry, entry.FirstVersion) || IsRivals(entry, entry.Version)) entry.Stream.IsStale = true;

        SettleStale(batch);
        batch.RemoveAll(entry =>
        {
            if (!writers.ContainsKey((entry.Stream.Target, entry.Version))) return false;
            SettleOne(entry, EntryOutcome.Committed);
            return true;
        });
        return written.Count > 0;

        bool IsRivals(LedgerEntry entry, long version) => writers.TryGetValue((entry.Stream.Target, version), out var writer) && writer != entry.Stream.Writer;
    }

    /// <summary>Refused for what it holds: the halves go apart until the culprit stands alone.</summary>
    private async ValueTask HalveAsync(List<LedgerEntry> batch)
    {
        if (batch.Count == 1)
        {
            Log.Poison(logger, batch[0].Stream.Target);
            SettleAll(batch, EntryOutcome.Refused);
            return;
        }

        var half = batch.Count / 2;
        var (first, second) = (batch[..half], batch[half..]);
        batch.Clear();
        await AppendAsync(first);
        SettleStale(second);
        await AppendAsync(second);
    }

    private ReadOnlyMemory<HeartEvent> Number(List<LedgerEntry> batch)
    {
        LedgerStream? stream = null;
        var version = 0L;
        _count = 0;
        foreach (var entry in batch)
        {
            if (entry.Stream != stream)
            {
                stream = entry.Stream;
                version = stream.Version;
            }

            entry.Version = ++version;
            _events[_count++] = new HeartEvent(
                stream.Target, version, stream.TargetId, entry.Heart, entry.UserId, entry.Kind, entry.AtMicros, stream.Writer, entry.Origin, entry.NetworkMac);
            if (entry.FromUserId is null) continue;
            entry.Version = ++version;
            _events[_count++] = new HeartEvent(
                stream.Target, version, stream.TargetId, entry.FromHeart, entry.FromUserId, HeartEventKind.Withdrawn, entry.AtMicros, stream.Writer, entry.Origin, entry.FromNetworkMac);
        }

        return _events.AsMemory(0, _count);
    }

    // A settled entry belongs to its owner again, who may already have filled it anew: nothing of it is read after that.
    private static void SettleAll(List<LedgerEntry> batch, EntryOutcome outcome)
    {
        foreach (var entry in batch) SettleOne(entry, outcome);
        batch.Clear();
    }

    private static void SettleStale(List<LedgerEntry> batch) => batch.RemoveAll(static entry =>
    {
        if (!entry.Stream.IsStale) return false;
        SettleOne(entry, EntryOutcome.Conflict);
        return true;
    });

    private static void SettleOne(LedgerEntry entry, EntryOutcome outcome)
    {
        if (outcome == EntryOutcome.Committed) entry.Stream.Version = entry.Version;
        if (outcome == EntryOutcome.Unknown) entry.Stream.IsStale = true;
        entry.Stream.Settle(entry, outcome);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Error, Message = "A batch of the ledger failed in an unforeseen way; its outcome is unknown")]
        public static partial void CommitFailed(ILogger logger, Exception exception);

        [LoggerMessage(Level = LogLevel.Warning, Message = "The ledger's answer to a batch of {Count} hearts was lost for good")]
        public static partial void OutcomeUnknown(ILogger logger, int count);

        [LoggerMessage(Level = LogLevel.Warning, Message = "The log could not be read to resolve a conflict")]
        public static partial void CannotResolve(ILogger logger, Exception exception);

        [LoggerMessage(Level = LogLevel.Error, Message = "The ledger refuses an event of target {Target} for what it holds")]
        public static partial void Poison(ILogger logger, Guid target);
    }
}
