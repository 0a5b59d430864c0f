using System.Text;

namespace HeartGrains.Gateway.Pages;

/// <summary>One page in all its languages.</summary>
internal sealed class Page
{
    private const string Origin = "origin";

    // Those of the embed section; a fact of the same name is the setting that would switch it on.
    private static readonly string[] Ways = ["element", "open", "applause", "form", "badge", "curl"];

    // Of the foot, to what is not everywhere; the fact of the same name is the address, if there is one.
    private static readonly string[] Links = ["metrics", "dashboard"];

    private static readonly string[] Varying = [Origin];

    private readonly Dictionary<string, PageTemplate> _byLanguage;

    /// <param name="file">Its file below <c>wwwroot/pages</c>.</param>
    /// <param name="path">Where it is.</param>
    /// <param name="facts">What is inserted beside the language's words, the same for every request.</param>
    public Page(string file, string path, IReadOnlyDictionary<string, string> facts)
    {
        Path = path;
        _byLanguage = PageLanguages.All.ToDictionary(
            static language => language.Code, language => new PageTemplate(file, Constant(language, path, facts), Varying));
    }

    public string Path { get; }

    public byte[] Render(PageLanguage language, string origin) =>
        Encoding.UTF8.GetBytes(_byLanguage[language.Code].Render(new Dictionary<string, string> { [Origin] = origin }));

    private static Dictionary<string, string> Constant(PageLanguage language, string path, IReadOnlyDictionary<string, string> facts)
    {
        var constant = new Dictionary<string, string>(language.Texts);
        foreach (var (name, value) in facts) constant[name] = value;
        foreach (var asset in PageAsset.All) constant[asset.Name] = asset.Path;
        foreach (var way in Ways) constant[$"tab.{way}.more"] = MoreOn(way, language, facts);
        constant["code"] = language.Code;
        constant["path"] = path;
        foreach (var link in Links) constant[link] = facts[link] is { Length: > 0 } address ? $"<li><a href=\"{address}\">{Escape(language.Texts[$"foot.{link}"])}</a></li>" : "";
        constant["languages"] = Each(other => other == language
            ? $"<li><span aria-current=\"true\" lang=\"{other.Tag}\">{Escape(other.Name)}</span></li>"
            : $"<li><a href=\"?{PageLanguages.Parameter}={other.Code}\" hreflang=\"{other.Tag}\" lang=\"{other.Tag}\">{Escape(other.Name)}</a></li>");
        constant["alternates"] = Each(other => $"<link rel=\"alternate\" hreflang=\"{other.Tag}\" href=\"{path}?{PageLanguages.Parameter}={other.Code}\">");
        constant["kept"] = language.Texts["kept." + facts["mode"]];
        return constant;
    }

    private static string MoreOn(string way, PageLanguage language, IReadOnlyDictionary<string, string> facts) =>
        facts.TryGetValue(way, out var setting) ? language.Texts["tab.off"].Replace("{setting}", setting, StringComparison.Ordinal)
        : way is "element" or "form" ? language.Texts["embed.sites"]
        : "";

    private static string Each(Func<PageLanguage, string> html) => string.Concat(PageLanguages.All.Select(html));

    private static string Escape(string text) => PageTemplate.Html.Encode(text);
}
