namespace HeartGrains.Gateway.OpenApi;

/// <summary>The description of the API, for people at <c>/docs</c> and for programs at <c>/openapi/v1.json</c>; section <c>HeartGrains:Docs</c>.</summary>
public sealed class DocsOptions
{
    /// <summary>The section below <c>HeartGrains</c>.</summary>
    public const string Name = "Docs";

    /// <summary>Serves it; default on where operators' routes are on loopback, else off.</summary>
    public bool? Enabled { get; set; }
}
