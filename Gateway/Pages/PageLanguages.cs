using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace HeartGrains.Gateway.Pages;

/// <summary>The words of the pages in one language: a file <c>text/&lt;code&gt;.json</c>.</summary>
/// <param name="Code">As it stands in <c>?lang=</c> and in the file's name.</param>
/// <param name="Texts">Key to words; <c>lang</c> is the tag for the HTML, <c>language</c> the language's name in itself.</param>
internal sealed record PageLanguage(string Code, IReadOnlyDictionary<string, string> Texts)
{
    public string Tag => Texts["lang"];

    public string Name => Texts["language"];
}

/// <summary>The languages there are, and which of them a reader gets. A language more is a file more.</summary>
internal static class PageLanguages
{
    /// <summary>The query parameter that chooses.</summary>
    public const string Parameter = "lang";

    private const string Folder = "text/";
    private const string Ending = ".json";
    private const int MaxPreferences = 20;

    /// <summary>English first: it is also what a reader of none of them gets.</summary>
    public static IReadOnlyList<PageLanguage> All { get; } =
        [.. PageFiles.In(Folder).Select(Load).OrderBy(static language => language.Code != "en")];

    /// <summary>By <c>?lang=</c>, else by <c>Accept-Language</c>, else English.</summary>
    public static PageLanguage Of(HttpRequest request) => Find(request.Query[Parameter]) ?? Preferred(request) ?? All[0];

    private static PageLanguage? Preferred(HttpRequest request)
    {
        if (!StringWithQualityHeaderValue.TryParseList(request.Headers.AcceptLanguage, out var preferences)) return null;
        return preferences.Take(MaxPreferences)
            .Where(static preference => preference.Quality is not 0)
            .OrderByDescending(static preference => preference.Quality ?? 1)
            .Select(static preference => Find(preference.Value.Value))
            .FirstOrDefault(static language => language is not null);
    }

    /// <summary>The language of a tag such as <c>zh-CN</c>: its first part decides.</summary>
    private static PageLanguage? Find(string? tag)
    {
        var code = tag?.Split('-', 2)[0];
        return All.FirstOrDefault(language => string.Equals(language.Code, code, StringComparison.OrdinalIgnoreCase));
    }

    private static PageLanguage Load(string file) =>
        new(file[Folder.Length..^Ending.Length], JsonSerializer.Deserialize<Dictionary<string, string>>(PageFiles.Read(file))!);
}
