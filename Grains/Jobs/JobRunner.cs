using HeartGrains.Ledger;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeartGrains.Jobs;

/// <summary>
/// Wakes what is not finished: after a crash nobody works on it. Every silo does; waking what is being worked on does nothing. It goes round, so that what cannot end keeps nothing else asleep. What
/// ended long ago is forgotten.
/// </summary>
internal sealed partial class JobRunner(IJobStore store, IGrainFactory grains, IOptions<JobOptions> options, TimeProvider time, ILogger<JobRunner> logger) : BackgroundService
{
    private const int WakeLimit = 100;
    private const int PruneLimit = 500;
    private static readonly TimeSpan PrunePeriod = TimeSpan.FromHours(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private string _after = "";
    private long? _prunedAt;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.WakePeriod, time);
        var isFailing = false;
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await WakeAsync(stoppingToken);
                await PruneAsync(stoppingToken);
                isFailing = false;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                if (!isFailing) Log.CannotWake(logger, exception is LedgerException ? exception.Message : exception.GetType().Name);
                isFailing = true;
            }
        }
    }

    private async Task WakeAsync(CancellationToken stoppingToken)
    {
        var open = await store.ListOpenAsync(_after, WakeLimit, stoppingToken);
        _after = open.Count == WakeLimit ? open[^1].Id : "";
        await Task.WhenAll(open.Select(job => grains.GetGrain<IJobGrain>(Job.KeyOf(job.Kind, job.Subject)).WakeAsync().AsTask())).WaitAsync(Patience, time, stoppingToken);
    }

    private async Task PruneAsync(CancellationToken stoppingToken)
    {
        if (_prunedAt is { } at && time.GetElapsedTime(at) < PrunePeriod) return;
        var before = ((time.GetUtcNow() - options.Value.KeepTime).Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        if (await store.PruneAsync(before, PruneLimit, stoppingToken) < PruneLimit) _prunedAt = time.GetTimestamp();
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Operations that are not finished cannot be woken now: {Reason}")]
        public static partial void CannotWake(ILogger logger, string reason);
    }
}
