using System.ComponentModel.DataAnnotations;

namespace HeartGrains.Jobs;

/// <summary>Long operations: section <c>HeartGrains:Jobs</c>.</summary>
public sealed class JobOptions
{
    /// <summary>The section's name.</summary>
    public const string Name = "Jobs";

    /// <summary>How often a silo looks for operations that nobody works on, after a crash for instance. Default 5 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.050", "00:10:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan WakePeriod { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest rest after a page that failed; the first rest is 100 ms, each next twice as long. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:10:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan MaxRest { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Hearts that one operation changes at once. Default 16.</summary>
    [Range(1, 256)]
    public int Parallelism { get; set; } = 16;

    /// <summary>How long an operation that has ended can be looked at; then it is forgotten. Default 30 days.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "3650.00:00:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan KeepTime { get; set; } = TimeSpan.FromDays(30);
}
