using System.ComponentModel.DataAnnotations;

namespace HeartGrains.Hearts;

/// <summary>How much of a target a HeartGrain keeps in memory; section <c>HeartGrains:Hearts</c>.</summary>
public sealed class HeartOptions
{
    /// <summary>
    /// The most hearts of one target held in memory, 24 bytes and up each; default 65,536. Beyond it the older ones are asked of the
    /// ledger: answers stay exact, a first heart costs one more read.
    /// </summary>
    [Range(2, 16_777_216)]
    public int DedupeLimit { get; set; } = 65_536;

    /// <summary>How long a target nobody calls stays in memory; default 10 minutes.</summary>
    [Range(typeof(TimeSpan), "00:01:01", "1.00:00:00")]
    public TimeSpan IdleTime { get; set; } = TimeSpan.FromMinutes(10);
}
