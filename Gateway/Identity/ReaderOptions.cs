using System.ComponentModel.DataAnnotations;

namespace HeartGrains.Gateway.Identity;

/// <summary>Anonymous readers: section <c>HeartGrains:Readers</c>.</summary>
public sealed class ReaderOptions
{
    /// <summary>The section these options are read from.</summary>
    public const string Section = "HeartGrains:Readers";

    /// <summary>
    /// Whether a call without <c>user_id</c> is a reader's. Default true where there is a secret: the one-process modes derive one from their key, a cluster's gateways
    /// need <see cref="Secret"/>.
    /// </summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Signs readers' tokens, at least 32 characters, the same in all gateways. Default: derived from the key in the one-process modes, none in a cluster.</summary>
    [MinLength(32)]
    public string? Secret { get; set; }

    /// <summary>The secret before it: tokens under it are still believed, and replaced when they are due. Default none.</summary>
    [MinLength(32)]
    public string? PreviousSecret { get; set; }

    /// <summary>How long a token is believed; it is renewed at half of it. Default 180 days, at most 400: browsers keep no cookie for longer.</summary>
    [Range(typeof(TimeSpan), "01:00:00", "400.00:00:00", ConvertValueInInvariantCulture = true)]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromDays(180);

    /// <summary>New readers one address may become at once, at one gateway; default 200: a school behind one address.</summary>
    [Range(1, 1_000_000)]
    public int IssueLimit { get; set; } = 200;

    /// <summary>New readers that come back to an address in an hour; default 200.</summary>
    [Range(1, 1_000_000)]
    public int IssuesPerHour { get; set; } = 200;
}
