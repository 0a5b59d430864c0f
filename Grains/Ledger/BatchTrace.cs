using System.Diagnostics;
using HeartGrains.Diagnostics;

namespace HeartGrains.Ledger;

/// <summary>
/// The spans of one batch. Each traced heart gets one of its own, <c>ledger append</c>, from its queueing to the batch's end. The commit they
/// share, <c>ledger commit</c>, hangs under the first and is linked to the others.
/// </summary>
internal sealed class BatchTrace : IDisposable
{
    private readonly List<Activity> _appends;
    private readonly Activity? _commit;

    private BatchTrace(List<Activity> appends, Activity? commit) => (_appends, _commit) = (appends, commit);

    /// <summary>Begins them; null, at the cost of a look at each entry, where nothing of the batch is traced.</summary>
    public static BatchTrace? Start(List<LedgerEntry> batch, TimeProvider time)
    {
        List<Activity>? appends = null;
        foreach (var entry in batch)
        {
            if (entry.Trace is { } trace && StartAppend(trace, time.GetElapsedTime(entry.QueuedAt), time) is { } append) (appends ??= []).Add(append);
        }

        if (appends is null) return null;
        var links = appends.Skip(1).Select(static append => new ActivityLink(append.Context));
        var commit = Traces.Source.StartActivity("ledger commit", ActivityKind.Internal, appends[0].Context, links: links);
        commit?.SetTag("heartgrains.ledger.batch_size", batch.Count);
        return new BatchTrace(appends, commit);
    }

    public void Dispose()
    {
        _commit?.Dispose();
        foreach (var append in _appends) append.Dispose();
    }

    private static Activity? StartAppend(Activity trace, TimeSpan waited, TimeProvider time) =>
        Traces.Source.StartActivity("ledger append", ActivityKind.Internal, trace.Context, startTime: time.GetUtcNow() - waited);
}
