using System.Security.Cryptography;

namespace HeartGrains.Gateway.Embed;

/// <summary>The button's script, and what a page says to include it.</summary>
internal sealed class EmbedScript
{
    /// <summary>The address that always has the newest.</summary>
    public const string NewestPath = "/heart-button.js";

    public WebFile File { get; } = WebFile.Load("heart-button.js");

    /// <summary>The address of just this content.</summary>
    public string Path => $"/heart-button.{File.Hash}.js";

    /// <summary>What a browser shall check the content against (Subresource Integrity).</summary>
    public string Integrity => field ??= "sha384-" + Convert.ToBase64String(SHA384.HashData(File.Bytes));

    /// <summary>The element that includes the script.</summary>
    /// <param name="origin">Where this gateway is reached: <c>https://hearts.example.com</c>.</param>
    public string Tag(string origin) =>
        $"""<script type="module" src="{origin}{Path}" integrity="{Integrity}" crossorigin="anonymous"></script>""";
}
