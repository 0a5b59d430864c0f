using System.ComponentModel.DataAnnotations;

namespace HeartGrains.Ledger;

/// <summary>Settings of the ledger and of the writer in front of it: section <c>HeartGrains:Ledger</c>.</summary>
public sealed class LedgerOptions
{
    /// <summary>Where the settings stand in the configuration.</summary>
    public const string Section = "HeartGrains:Ledger";

    /// <summary>Events that may wait for a silo's writers; beyond it a heart is refused at once. Default 10000.</summary>
    [Range(1, 1_000_000)]
    public int QueueLimit { get; set; } = 10_000;

    /// <summary>Events in one append at most. Default 500: larger batches save no more CPU per event.</summary>
    [Range(1, 10_000)]
    public int BatchLimit { get; set; } = 500;

    /// <summary>
    /// After a batch of more than one, how long the next one gathers; a lone heart never waits. PostgreSQL's <c>commit_delay</c>, one level
    /// up. Default 1 ms in <c>cluster</c>, where a commit costs two processes dear; none in <c>single</c>, where it saved nothing.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:00.100", ConvertValueInInvariantCulture = true)]
    public TimeSpan CommitDelay { get; set; } = TimeSpan.FromMilliseconds(1);

    /// <summary>
    /// From when on an append that has not ended counts as hanging: hearts are refused then instead of being queued behind it, and those that waited for it so long when it ends.
    /// Default 1 s: no caller of a silo waits longer than for one append.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:00:10", ConvertValueInInvariantCulture = true)]
    public TimeSpan StallTime { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a heart may wait in a long queue, and a batch whose answer was lost be asked for again. Default 2 s: callers wait little longer.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:00:10", ConvertValueInInvariantCulture = true)]
    public TimeSpan AppendDeadline { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Writers per silo, each with one append under way; a target always takes the same one. Default 1.</summary>
    [Range(1, 16)]
    public int Lanes { get; set; } = 1;

    /// <summary>How long the fold rests when the log is folded; what lists may lag behind when calm. Default 500 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan FoldPeriod { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Events folded in one transaction at most, about. Default 10000.</summary>
    [Range(1, 1_000_000)]
    public int FoldBatch { get; set; } = 10_000;

    /// <summary>How long a connection to PostgreSQL may take to open; whole seconds, rounded up. Default 2 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// How long an append or a read may take, after which an append's outcome is unknown; whole seconds, rounded up. Default 2 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long one fold may take; whole seconds, rounded up. Default 30 s: a fold given up is a fold done twice.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan FoldTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Connections a silo's ledger may hold to PostgreSQL. Default 16: with the 8 of the quotas' storage, four silos fit a server's usual
    /// <c>max_connections</c> of 100.
    /// </summary>
    [Range(3, 1_000)]
    public int MaxPoolSize { get; set; } = 16;

    /// <summary>
    /// Accept a database whose commits can be lost in a crash. Default false: the start is refused, because an acknowledged heart
    /// is promised to stay.
    /// </summary>
    public bool AllowWeakDurability { get; set; }
}
