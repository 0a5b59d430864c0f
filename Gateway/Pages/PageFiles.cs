using System.Text;
using HeartGrains.Gateway.Embed;

namespace HeartGrains.Gateway.Pages;

/// <summary>The files of <c>wwwroot/pages</c>, which travel inside the assembly.</summary>
internal static class PageFiles
{
    private const string Folder = "pages/";
    private const string Resources = "wwwroot/" + Folder;

    /// <summary>The files of a folder below <c>pages</c>, named with it.</summary>
    public static IEnumerable<string> In(string folder) =>
        from name in typeof(PageFiles).Assembly.GetManifestResourceNames()
        where name.StartsWith(Resources + folder, StringComparison.Ordinal)
        orderby name
        select name[Resources.Length..];

    /// <summary>A file as a browser gets it, its name given as <c>art/cat.svg</c>.</summary>
    public static WebFile Load(string name) => WebFile.Load(Folder + name);

    /// <summary>The text of a file.</summary>
    public static string Read(string name)
    {
        using var stream = typeof(PageFiles).Assembly.GetManifestResourceStream(Resources + name)
            ?? throw new InvalidOperationException($"The assembly holds no page file '{name}'.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}

/// <summary>A file beside the pages, whose path names its content, so that it never has to be asked for again.</summary>
internal sealed class PageAsset
{
    private PageAsset(string name, string file)
    {
        (Name, File) = (name, PageFiles.Load(file));
        Path = $"/{System.IO.Path.GetFileNameWithoutExtension(file)}.{File.Hash}{System.IO.Path.GetExtension(file)}";
    }

    public static IReadOnlyList<PageAsset> All { get; } =
        [new("style", "pages.css"), new("style-without-script", "noscript.css"), new("script", "pages.js"), new("icon", "icon.svg")];

    /// <summary>What the pages call it.</summary>
    public string Name { get; }

    public string Path { get; }

    public WebFile File { get; }
}
