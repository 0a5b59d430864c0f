using HeartGrains.Hearts;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeartGrains.Audit;

/// <summary>Seals the log close behind its end. Every silo tries; the store lets one at a time do the work.</summary>
internal sealed partial class LogSealer(
    ISealStore store, HeartKeys keys, IOptions<AuditOptions> options, TimeProvider time, AuditMetrics metrics, ILogger<LogSealer> logger) : BackgroundService
{
    // So that whoever keeps the log lines elsewhere keeps a proof of the log with them.
    private static readonly TimeSpan TellPeriod = TimeSpan.FromHours(1);

    private long? _toldAt;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var chain = new EventChain(keys);
        using var timer = new PeriodicTimer(options.Value.SealPeriod, time);
        var isFailing = false;
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await SealAllAsync(chain, stoppingToken);
                isFailing = false;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // Hearts do not need the seals: it must not end the host, as a background service's error would.
                if (!isFailing) Log.CannotSeal(logger, exception);
                isFailing = true;
            }
        }
    }

    private async Task SealAllAsync(EventChain chain, CancellationToken cancellationToken)
    {
        EventSeal? seal;
        do
        {
            seal = await store.SealAsync(options.Value.SealBatch, chain, time.NowMicros(), cancellationToken);
            if (seal is not null) Note(seal);
        }
        while (seal is not null && seal.Events > options.Value.SealBatch / 2);

        var unsealed = await store.FindUnsealedAsync(cancellationToken);
        metrics.SealLag(unsealed is { } at ? TimeSpan.FromMicroseconds(time.NowMicros() - at) : TimeSpan.Zero);
    }

    private void Note(EventSeal seal)
    {
        metrics.Sealed(seal.Events);
        if (_toldAt is { } told && time.GetElapsedTime(told) < TellPeriod) return;
        _toldAt = time.GetTimestamp();
        Log.Sealed(logger, seal.Number, Convert.ToHexStringLower(seal.Hash));
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The log cannot be sealed now; hearts are not affected, readers of events wait")]
        public static partial void CannotSeal(ILogger logger, Exception exception);

        [LoggerMessage(2, LogLevel.Information, "The log is sealed up to block {Number}, whose hash is {Hash}; told once an hour, to be kept elsewhere")]
        public static partial void Sealed(ILogger logger, long number, string hash);
    }
}
