using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Overload;

/// <summary>How the gateway protects itself from more calls than can be answered in time: section <c>HeartGrains:Overload</c>.</summary>
public sealed class OverloadOptions
{
    /// <summary>The section these options are read from.</summary>
    public const string Section = "HeartGrains:Overload";

    /// <summary>Whether calls are refused at all. Default false: a silo that hangs looks like overload to it, and it would refuse for the others too.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// What the 95th percentile of calls should stay under; beyond it fewer calls are admitted. Default 250 ms: what a person still takes for at once.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.005", "00:00:10", ConvertValueInInvariantCulture = true)]
    public TimeSpan P95Goal { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Calls a second that are admitted however slow they are. Default 50: enough to see that they are fast again.</summary>
    [Range(0.01, 10_000_000.0)]
    public double MinRate { get; set; } = 50;

    /// <summary>Calls a second that are never exceeded, and what is admitted when all is well. Default 100,000, more than one gateway can do.</summary>
    [Range(0.01, 10_000_000.0)]
    public double MaxRate { get; set; } = 100_000;

    /// <summary>Calls in flight that are never exceeded, and what is allowed when all is well. Default 10,000, about 60 MB.</summary>
    [Range(1, 1_000_000)]
    public int MaxInFlight { get; set; } = 10_000;

    /// <summary>Part by which the admitted rate grows in an interval that meets the goal. Default 0.1: back to ten times the rate in 2.5 s.</summary>
    [Range(0.001, 10.0)]
    public double IncreaseGain { get; set; } = 0.1;

    /// <summary>What is left of the rate the gateway has kept up with when the goal is missed. Default 0.8.</summary>
    [Range(0.1, 0.99)]
    public double DecreaseFactor { get; set; } = 0.8;

    /// <summary>
    /// Part of all cores this process may use while the admitted rate grows as <see cref="IncreaseGain"/> says; beyond it a tenth as fast. Default 0.9. CPU alone
    /// refuses nothing: a busy gateway that answers in time does what it is for.
    /// </summary>
    [Range(0.05, 1.0)]
    public double CpuGoal { get; set; } = 0.9;

    /// <summary>How often it is measured and decided. Default 100 ms.</summary>
    [Range(typeof(TimeSpan), "00:00:00.010", "00:00:05", ConvertValueInInvariantCulture = true)]
    public TimeSpan Interval { get; set; } = TimeSpan.FromMilliseconds(100);
}

/// <summary>Refuses settings that contradict each other.</summary>
internal sealed class OverloadOptionsValidator : IValidateOptions<OverloadOptions>
{
    public ValidateOptionsResult Validate(string? name, OverloadOptions options) =>
        options.MinRate > options.MaxRate
            ? ValidateOptionsResult.Fail(
                $"{OverloadOptions.Section}:MinRate is {options.MinRate} and {OverloadOptions.Section}:MaxRate is {options.MaxRate}: what is always admitted cannot be more than what is admitted at most.")
            : ValidateOptionsResult.Success;
}
