using HeartGrains.Diagnostics;
using HeartGrains.Ledger;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Hearts;

/// <summary>Tells that targets cannot be read, once a second for all of them: while the ledger is down each reader finds out.</summary>
internal sealed partial class UnreadTargets(TimeProvider time, ILogger<UnreadTargets> logger)
{
    private readonly Throttle _throttle = new(time.TimestampFrequency);

    /// <summary>One more.</summary>
    public void Tell(LedgerException exception)
    {
        if (_throttle.TryPass(time.GetTimestamp(), out var count)) Log.Unread(logger, count, exception.Message);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Count} times since this was last told a target could not be read from the ledger: {Reason}", EventName = "TargetsUnread")]
        public static partial void Unread(ILogger logger, int count, string reason);
    }
}
