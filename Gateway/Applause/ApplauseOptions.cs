using System.ComponentModel.DataAnnotations;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.Applause;

/// <summary>The calls of applause-button under <c>/applause</c>: section <c>HeartGrains:Applause</c>.</summary>
public sealed class ApplauseOptions
{
    /// <summary>The section's name under <see cref="HostSettings.Section"/>.</summary>
    public const string Name = "Applause";

    /// <summary>The configuration section.</summary>
    public const string SectionName = HostSettings.Section + ":" + Name;

    /// <summary>Serves the button, on pages of every origin. Default false: what is not configured is closed.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// What tells readers without a token apart: <c>soft</c> (default), network and user agent; <c>strict</c>, the network alone; <c>off</c>, nothing, so that they cannot clap. Sites may differ:
    /// <c>off, blog.example.com=soft</c>.
    /// </summary>
    [Required]
    public string AddressReaders { get; set; } = "soft";
}
