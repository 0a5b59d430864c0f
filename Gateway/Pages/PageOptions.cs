namespace HeartGrains.Gateway.Pages;

/// <summary>The pages for people; section <c>HeartGrains:Pages</c>.</summary>
public sealed class PageOptions
{
    /// <summary>The section's name under <c>HeartGrains</c>.</summary>
    public const string Name = "Pages";

    /// <summary>Serves <c>/</c> and <c>/demo</c>; without it there is nothing at these paths. Default true.</summary>
    public bool Enabled { get; set; } = true;
}
