using System.Security.Cryptography;

namespace HeartGrains.Gateway.Embed;

/// <summary>The button's script, and what a page says to include it.</summary>
internal sealed class EmbedScript
{
    /// <summary>The address that always has the newest.</summary>
    public const string NewestPath = "/" + FileName;

    private const string FileName = "heart-button.js";

    public WebFile File { get; } = WebFile.Load(FileName);

    /// <summary>The address of just this content.</summary>
    public string Path => PathOf(File);

    /// <summary>This one and those released before it, each at the address that pages have pinned: it must never have other content, nor none.</summary>
    public IReadOnlyDictionary<string, WebFile> Pinned { get; } = PinnedAt(typeof(EmbedScript).Assembly.GetManifestResourceNames(), WebFile.Load);

    /// <summary>What a browser shall check the content against (Subresource Integrity).</summary>
    public string Integrity => field ??= "sha384-" + Convert.ToBase64String(SHA384.HashData(File.Bytes));

    /// <summary>The scripts among the files of <c>wwwroot</c>, by address.</summary>
    internal static Dictionary<string, WebFile> PinnedAt(IEnumerable<string> resources, Func<string, WebFile> load)
    {
        const string Root = "wwwroot/";
        return resources
            .Where(static name => name == Root + FileName || (name.StartsWith(Root + "earlier/", StringComparison.Ordinal) && name.EndsWith(".js", StringComparison.Ordinal)))
            .Select(name => load(name[Root.Length..]))
            .DistinctBy(static file => file.Hash)
            .ToDictionary(PathOf);
    }

    /// <summary>The element that includes the script.</summary>
    /// <param name="origin">Where this gateway is reached: <c>https://hearts.example.com</c>.</param>
    public string Tag(string origin) =>
        $"""<script type="module" src="{origin}{Path}" integrity="{Integrity}" crossorigin="anonymous"></script>""";

    private static string PathOf(WebFile file) => $"/heart-button.{file.Hash}.js";
}
