using HeartGrains.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeartGrains.Ledger;

/// <summary>
/// Group commit: entries of all activations of this silo wait in a few bounded lanes, and each lane commits all that is waiting in
/// one append at a time. A target always takes the same lane, so its events stay in order.
/// </summary>
internal sealed class LedgerWriter : IHostedService
{
    private readonly LedgerLane[] _lanes;
    private readonly TimeProvider _time;

    public LedgerWriter(
        IHeartLedger ledger, IOptions<LedgerOptions> options, TimeProvider time, GrainMetrics metrics, ILogger<LedgerWriter> logger)
    {
        _time = time;
        _lanes = [.. Enumerable.Range(0, options.Value.Lanes)
            .Select(_ => new LedgerLane(ledger, new BatchCommit(ledger, options.Value, time, metrics, logger), options.Value, time))];
        metrics.ObserveQueue(() => Depth);
    }

    /// <summary>Entries waiting, those being committed not counted.</summary>
    public int Depth => _lanes.Sum(lane => lane.Depth);

    /// <summary>Queues an entry, or says at once why not.</summary>
    public EnqueueResult Enqueue(LedgerEntry entry)
    {
        entry.QueuedAt = _time.GetTimestamp();
        return LaneOf(entry.Stream).Enqueue(entry);
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Refuses new entries and waits until those queued are settled.</summary>
    public Task StopAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_lanes.Select(lane => lane.StopAsync())).WaitAsync(cancellationToken);

    private LedgerLane LaneOf(LedgerStream stream) =>
        _lanes.Length == 1 ? _lanes[0] : _lanes[(uint)stream.Target.GetHashCode() % (uint)_lanes.Length];
}
