namespace HeartGrains.Gateway.Identity;

/// <summary>What the log keeps of callers: section <c>HeartGrains:Audit</c>.</summary>
public sealed class AuditOptions
{
    /// <summary>The section's name.</summary>
    public const string Name = "Audit";

    /// <summary>The section these options are read from.</summary>
    public const string Section = "HeartGrains:" + Name;

    /// <summary>Whether the log keeps where a call came from: the caller's address cut to /24, of IPv6 to /48. Default false.</summary>
    public bool KeepNetworks { get; set; }
}
