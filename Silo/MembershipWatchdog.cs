using Orleans.Clustering.Redis;
using Orleans.Runtime;

namespace HeartGrains.Silo;

/// <summary>
/// Stops a silo whose own row is gone from a membership table in which others are: the table was wiped, they have formed a second cluster, and living on
/// would split the service. In an empty table nobody is, and reads that fail prove nothing: neither counts.
/// </summary>
internal sealed partial class MembershipWatchdog(
    IMembershipTable table, ILocalSiloDetails silo, ISiloStatusOracle status, IHostApplicationLifetime lifetime, TimeProvider time,
    ILogger<MembershipWatchdog> logger) : BackgroundService
{
    private const int MissesBeforeStop = 3;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan PatienceWithGoodbye = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var misses = 0;
        using var timer = new PeriodicTimer(Period, time);
        while (misses < MissesBeforeStop && await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (status.CurrentStatus != SiloStatus.Active) continue;
            if (await IsListedAsync() is { } isListed) misses = isListed ? 0 : misses + 1;
        }

        if (stoppingToken.IsCancellationRequested) return;
        Log.RowGone(logger, silo.SiloAddress);
        Environment.ExitCode = 1;
        lifetime.StopApplication();
        _ = ExitAsync();
    }

    /// <summary>Orleans' own goodbye can wait for ever for a row that is not there.</summary>
    private async Task ExitAsync()
    {
        await Task.Delay(PatienceWithGoodbye, time);
        Environment.Exit(1);
    }

    private async Task<bool?> IsListedAsync()
    {
        try
        {
            var row = await table.ReadRowAsync(silo.SiloAddress, CancellationToken.None);
            return row.Members.Any(member => member.Item1.SiloAddress.Equals(silo.SiloAddress)) ? true
                : (await table.ReadAllAsync(CancellationToken.None)).Members.Any() ? false
                : null;
        }
        catch (Exception exception)
        {
            Log.CannotRead(logger, exception);
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Critical, Message = "Silo {Silo} is gone from the membership table; it stops rather than live on beside a second cluster")]
        public static partial void RowGone(ILogger logger, SiloAddress silo);

        [LoggerMessage(Level = LogLevel.Debug, Message = "The membership table cannot be read")]
        public static partial void CannotRead(ILogger logger, Exception exception);
    }
}
