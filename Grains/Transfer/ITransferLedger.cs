using HeartGrains.Audit;
using HeartGrains.Ledger;
using HeartGrains.Users;

namespace HeartGrains.Transfer;

/// <summary>A ledger whose whole content can be read and written.</summary>
internal interface ITransferLedger : IHeartLedger, IEventLog, IAuditStore, IUserLog
{
    /// <summary>Opens it instead of <see cref="IHeartLedger.InitializeAsync"/> to be read only, beside whoever writes. Returns the fingerprint of its key.</summary>
    Task<string> OpenToReadAsync(CancellationToken cancellationToken);

    /// <summary>How far it is with what changes more than the log's end.</summary>
    ValueTask<LedgerMark> FindMarkAsync(CancellationToken cancellationToken);

    /// <summary>Shows all that stands beside the log, in one snapshot: openings, rules, blocks, quarantines.</summary>
    ValueTask ScanStandingAsync(Action<ExportLine> read, CancellationToken cancellationToken);

    /// <summary>Takes an empty ledger for an import; nothing else opens it before <see cref="EndImportAsync"/>. False when it is not empty.</summary>
    ValueTask<bool> BeginImportAsync(CancellationToken cancellationToken);

    /// <summary>Adds events, in one transaction. Durable when it returns.</summary>
    ValueTask ImportAsync(IReadOnlyList<RawEvent> events, CancellationToken cancellationToken);

    /// <summary>Adds what stands beside the log, in one transaction. Durable when it returns.</summary>
    ValueTask ImportAsync(IReadOnlyList<StandingRow> rows, CancellationToken cancellationToken);

    /// <summary>Lets the ledger be opened again.</summary>
    ValueTask EndImportAsync(CancellationToken cancellationToken);
}

/// <summary>What must not change while a ledger is read: it would be read half before and half after.</summary>
/// <param name="End">The <see cref="EventPosition.Order"/> of the last event; this one may grow.</param>
/// <param name="Operation">A long operation that is under way; null for none.</param>
/// <param name="Operations">How many there have been.</param>
/// <param name="Decisions">The last decision.</param>
/// <param name="Tombstones">Events whose user is forgotten.</param>
internal sealed record LedgerMark(long End, string? Operation, long Operations, long Decisions, long Tombstones);

/// <summary>A line and the ids that its ledger's key makes of it.</summary>
/// <param name="Line">What stands beside the log.</param>
/// <param name="Key">The target, or the blocked user.</param>
/// <param name="Other">Where a target was moved, or the heart that is held.</param>
internal readonly record struct StandingRow(ExportLine Line, Guid Key, Guid? Other);
