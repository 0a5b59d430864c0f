using HeartGrains.Hearts;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace HeartGrains.Audit;

/// <summary>Seals the log close behind its end. Every silo tries; the store lets one at a time do the work. A log whose seals are not those that were seen is not sealed on: that would vouch for whatever it holds now.</summary>
internal sealed partial class LogSealer(
    ISealStore store, Verifier verifier, KeptHead head, SealHeads others, HeartKeys keys, IOptions<AuditOptions> options, TimeProvider time, AuditMetrics metrics, ILogger<LogSealer> logger) : BackgroundService
{
    // So that whoever keeps the log lines elsewhere keeps a proof of the log with them.
    private static readonly TimeSpan TellPeriod = TimeSpan.FromHours(1);

    private static readonly TimeSpan LookAgainPeriod = TimeSpan.FromMinutes(1);

    private long? _toldAt;
    private long? _lostAt;
    private bool _knowsOthers;

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
        if (await KnowsOthersAsync(cancellationToken) && !await IsLostAsync(cancellationToken))
        {
            if (await store.FindLastSealAsync(cancellationToken) is { } last) head.Keep(last.Head);
            while (await store.SealAsync(options.Value.SealBatch, head.Last?.Number ?? 0, chain, time.NowMicros(), cancellationToken) is { } seal)
            {
                Note(seal);
                if (seal.Events <= options.Value.SealBatch / 2) break;
            }
        }

        var unsealed = await store.FindUnsealedAsync(cancellationToken);
        metrics.SealLag(unsealed is { } at ? TimeSpan.FromMicroseconds(time.NowMicros() - at) : TimeSpan.Zero);
    }

    /// <summary>Takes over, once, what the other silos saw before this one started. Until all of them have told it seals nothing.</summary>
    private async Task<bool> KnowsOthersAsync(CancellationToken cancellationToken)
    {
        if (_knowsOthers) return true;
        var (heads, areAll) = await others.ReadAsync(cancellationToken);
        foreach (var seen in heads) head.Keep(seen);
        return _knowsOthers = areAll;
    }

    private async Task<bool> IsLostAsync(CancellationToken cancellationToken)
    {
        if (_lostAt is { } lost && time.GetElapsedTime(lost) < LookAgainPeriod) return true;
        if (await verifier.CheckSeenAsync(cancellationToken) is null)
        {
            _lostAt = null;
            return false;
        }

        if (_lostAt is null) Log.NotSealed(logger, head.File ?? "none");
        _lostAt = time.GetTimestamp();
        return true;
    }

    private void Note(EventSeal seal)
    {
        head.Keep(seal.Head);
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

        [LoggerMessage(3, LogLevel.Critical, "The log has lost seals that were there, and is not sealed any more; hearts are not affected. If an older backup was put in its place, stop all silos, remove the file of the head ({File}), and start them")]
        public static partial void NotSealed(ILogger logger, string file);
    }
}
