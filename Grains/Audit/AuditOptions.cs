using System.ComponentModel.DataAnnotations;

namespace HeartGrains.Audit;

/// <summary>What the log keeps, and how it is sealed and compared; section <c>HeartGrains:Audit</c>.</summary>
public sealed class AuditOptions
{
    /// <summary>The section's name.</summary>
    public const string Name = "Audit";

    /// <summary>The section these options are read from.</summary>
    public const string Section = "HeartGrains:" + Name;

    /// <summary>Read by gateways: whether the log keeps where a call came from, the caller's address cut to /24, of IPv6 to /48. Default false.</summary>
    public bool KeepNetworks { get; set; }

    /// <summary>How long the sealer rests when all is sealed; what readers of events may be behind when calm. Default 1 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:01:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan SealPeriod { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Events in one block, about. Default 1000.</summary>
    [Range(1, 100_000)]
    public int SealBatch { get; set; } = 1_000;

    /// <summary>
    /// Where a silo keeps the log's last seal for its next start, each silo a file of its own, out of reach of whoever may write the database. Default <c>heart.head</c> in the data folder of <c>single</c>, none otherwise: it is kept in memory then.
    /// </summary>
    public string? HeadFile { get; set; }

    /// <summary>How often a part of everything is compared in the background; 0 never. Default 10 s, by one silo at a time.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan WatchPeriod { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Targets compared in such a part. Default 20.</summary>
    [Range(0, 10_000)]
    public int WatchTargets { get; set; } = 20;

    /// <summary>Blocks of the chain compared in such a part. Default 20.</summary>
    [Range(0, 10_000)]
    public int WatchBlocks { get; set; } = 20;
}
