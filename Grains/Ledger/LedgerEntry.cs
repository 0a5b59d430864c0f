using System.Diagnostics;
using HeartGrains.Hearts;

namespace HeartGrains.Ledger;

/// <summary>How an entry ended. Everything but <see cref="Committed"/> and <see cref="Unknown"/> means: not written.</summary>
internal enum EntryOutcome : byte
{
    Pending,
    Committed,
    Conflict,
    Refused,
    Unknown,
}

/// <summary>An event on its way to the ledger. Filled by the stream's owner, settled by its lane, reused by the owner.</summary>
internal abstract class LedgerEntry
{
    public LedgerStream Stream = null!;
    public HeartId Heart;
    public string UserId = "";
    public HeartEventKind Kind;

    /// <summary>Whose heart is withdrawn right behind, in the same commit, so that nobody sees both given; null for nobody's.</summary>
    public string? FromUserId;
    public HeartId FromHeart;
    public long FromNetworkMac;
    public HeartOrigin? Origin;
    public long NetworkMac;
    public long AtMicros;

    /// <summary>When it was queued, as a <see cref="TimeProvider"/> timestamp.</summary>
    public long QueuedAt;

    /// <summary>The span of the call that waits for it, if that is traced.</summary>
    public Activity? Trace;

    /// <summary>Of its last event; set by the lane when the batch is made.</summary>
    public long Version;

    /// <summary>Of its first event.</summary>
    public long FirstVersion => FromUserId is null ? Version : Version - 1;

    /// <summary>Set by the lane before the entry is handed back.</summary>
    public EntryOutcome Outcome;

    /// <summary>Position in the lane's batch; then the link of the stream's list of settled entries.</summary>
    public int Order;
    public LedgerEntry? Next;
}
