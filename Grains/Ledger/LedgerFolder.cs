using HeartGrains.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeartGrains.Ledger;

/// <summary>Keeps the projections close behind the log. Every silo tries; the ledger lets one at a time do the work.</summary>
internal sealed partial class LedgerFolder(
    IHeartLedger ledger, IOptions<LedgerOptions> options, TimeProvider time, GrainMetrics metrics, ILogger<LedgerFolder> logger)
    : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var isFailing = false;
        using var timer = new PeriodicTimer(options.Value.FoldPeriod, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await FoldAllAsync(stoppingToken);
                isFailing = false;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever went wrong, hearts do not need the fold: it must not end the host, as a background service's error would.
                if (!isFailing) Log.CannotFold(logger, exception);
                isFailing = true;
            }
        }
    }

    private async Task FoldAllAsync(CancellationToken cancellationToken)
    {
        int folded;
        do
        {
            folded = await ledger.FoldAsync(options.Value.FoldBatch, cancellationToken);
            if (folded > 0) metrics.Folded(folded);
        }
        while (folded > options.Value.FoldBatch / 2);
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "The projections cannot be folded now; hearts are not affected")]
        public static partial void CannotFold(ILogger logger, Exception exception);
    }
}
