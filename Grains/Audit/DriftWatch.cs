using HeartGrains.Hearts;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeartGrains.Audit;

/// <summary>
/// Compares everything with the log, slowly and for ever: some blocks and some targets a period, one silo at a time. It reports and repairs nothing.
/// </summary>
internal sealed partial class DriftWatch(IAuditStore store, Verifier verifier, IOptions<AuditOptions> options, TimeProvider time, ILogger<DriftWatch> logger) : BackgroundService
{
    // Whoever died in its turn is waited for so long.
    private static readonly TimeSpan TurnTime = TimeSpan.FromMinutes(2);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var period = options.Value.WatchPeriod;
        if (period == TimeSpan.Zero) return;
        var isFailing = false;
        using var timer = new PeriodicTimer(period, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await TakeTurnAsync(period, stoppingToken);
                isFailing = false;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                if (!isFailing) Log.CannotCompare(logger, exception);
                isFailing = true;
            }
        }
    }

    private async Task TakeTurnAsync(TimeSpan period, CancellationToken cancellationToken)
    {
        var started = time.NowMicros();
        if (await store.TryTakeTurnAsync(started, started + Micros(TurnTime), cancellationToken) is not { } place) return;
        var chain = options.Value.WatchBlocks == 0 ? null : await verifier.VerifyBlocksAsync(place.Block + 1, options.Value.WatchBlocks, cancellationToken);
        var targets = options.Value.WatchTargets == 0 ? [] : await store.ListTargetsAsync(place.Target, options.Value.WatchTargets, cancellationToken);
        foreach (var target in targets) await verifier.VerifyTargetAsync(target, null, null, cancellationToken);
        await store.EndTurnAsync(
            new WatchPlace(chain is null || chain.Blocks < options.Value.WatchBlocks ? 0 : chain.Last, targets.Count < options.Value.WatchTargets ? Guid.Empty : targets[^1]),

            // A little less, so that the same silo's next tick, which comes a moment early at times, finds it free.
            started + (Micros(period) * 9 / 10),
            cancellationToken);
    }

    private static long Micros(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The ledger cannot be compared with its log now; hearts are not affected")]
        public static partial void CannotCompare(ILogger logger, Exception exception);
    }
}
