using System.ComponentModel.DataAnnotations;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.OpenHeart;

/// <summary>The Open Heart protocol under <c>/oh</c>: section <c>HeartGrains:OpenHeart</c>.</summary>
public sealed class OpenHeartOptions
{
    /// <summary>The section's name under <see cref="HostSettings.Section"/>.</summary>
    public const string Name = "OpenHeart";

    /// <summary>The configuration section.</summary>
    public const string SectionName = HostSettings.Section + ":" + Name;

    /// <summary>Serves the protocol, to pages of every origin. Default false: what is not configured is closed.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// The emoji taken, at most 16, with spaces or commas between; all others are refused. Default <c>❤️ 👍 🎉 😂 😮 🔥</c>. Each costs a read whenever a page's counts are asked for.
    /// </summary>
    [Required]
    public string Emojis { get; set; } = "❤️ 👍 🎉 😂 😮 🔥";

    /// <summary>
    /// What tells readers without a token apart: <c>soft</c> (default), network and user agent; <c>strict</c>, the network alone; <c>off</c>, nothing, so that they cannot give. Sites may differ:
    /// <c>off, blog.example.com=soft</c>.
    /// </summary>
    [Required]
    public string AddressReaders { get; set; } = "soft";
}
