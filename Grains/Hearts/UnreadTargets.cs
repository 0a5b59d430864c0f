using System.Collections.Concurrent;
using HeartGrains.Diagnostics;
using HeartGrains.Ledger;
using Microsoft.Extensions.Logging;

namespace HeartGrains.Hearts;

/// <summary>Tells that targets cannot be read, once a second for all of them: while the ledger is down each reader finds out.</summary>
internal sealed partial class UnreadTargets(TimeProvider time, ILogger<UnreadTargets> logger)
{
    private const int MisledLimit = 1000;
    private readonly Throttle _throttle = new(time.TimestampFrequency);
    private readonly ConcurrentDictionary<Guid, bool> _misled = new();

    /// <summary>One more.</summary>
    public void Tell(LedgerException exception)
    {
        if (_throttle.TryPass(time.GetTimestamp(), out var count)) Log.Unread(logger, count, exception.Message);
    }

    /// <summary>One whose rule leads nowhere, told once of each: nothing but a hand makes and mends that.</summary>
    public void TellMisled(Guid target)
    {
        if (_misled.Count < MisledLimit && _misled.TryAdd(target, true)) Log.Misled(logger, target);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "{Count} times since this was last told a target could not be read from the ledger: {Reason}", EventName = "TargetsUnread")]
        public static partial void Unread(ILogger logger, int count, string reason);

        [LoggerMessage(2, LogLevel.Error, "Target {Target} answers nobody until its row of heart_rule is put right: by that it was moved to a name that leads round or too far", EventName = "TargetMisled")]
        public static partial void Misled(ILogger logger, Guid target);
    }
}
