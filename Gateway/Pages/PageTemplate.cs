using System.Text;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using System.Text.Unicode;

namespace HeartGrains.Gateway.Pages;

/// <summary>
/// An HTML file with <c>{{name}}</c> where something is inserted, escaped (<c>{{&amp;name}}</c>: as it is), and <c>{{&gt;file key=value}}</c> where another file is, in which
/// <c>[[key]]</c> stands for the value. What is the same for every request is inserted once.
/// </summary>
internal sealed partial class PageTemplate
{
    /// <summary>Leaves letters of every script as they are and escapes what means something in HTML.</summary>
    public static readonly HtmlEncoder Html = HtmlEncoder.Create(UnicodeRanges.All);

    private readonly IReadOnlyList<(string Literal, string? Name)> _parts;

    /// <param name="file">The page's file.</param>
    /// <param name="constant">What is the same for every request.</param>
    /// <param name="varying">The names that each request fills in.</param>
    /// <exception cref="InvalidOperationException">The file names something that is in neither.</exception>
    public PageTemplate(string file, IReadOnlyDictionary<string, string> constant, IReadOnlyCollection<string> varying)
    {
        var parts = new List<(string, string?)>();
        var (literal, end) = (new StringBuilder(), 0);
        var html = WithIncludes(PageFiles.Read(file));
        foreach (Match hole in Hole().Matches(html))
        {
            literal.Append(html, end, hole.Index - end);
            end = hole.Index + hole.Length;
            var name = hole.Groups["name"].Value;
            if (constant.TryGetValue(name, out var text))
            {
                literal.Append(hole.Groups["raw"].Length > 0 ? text : Html.Encode(text));
                continue;
            }

            if (!varying.Contains(name)) throw new InvalidOperationException($"Nothing is known by the name '{name}' in {file}.");
            parts.Add((literal.ToString(), name));
            literal.Clear();
        }

        parts.Add((literal.Append(html, end, html.Length - end).ToString(), null));
        _parts = parts;
    }

    /// <summary>The page with this request's values, escaped.</summary>
    public string Render(IReadOnlyDictionary<string, string> values)
    {
        var page = new StringBuilder(32 * 1024);
        foreach (var (literal, name) in _parts)
        {
            page.Append(literal);
            if (name is not null) page.Append(Html.Encode(values[name]));
        }

        return page.ToString();
    }

    private static string WithIncludes(string html) => Include().Replace(html, static include =>
    {
        var text = PageFiles.Read(include.Groups["file"].Value).TrimEnd();
        foreach (var pair in include.Groups["pair"].Captures.Select(static pair => pair.Value.Split('=', 2)))
            text = text.Replace($"[[{pair[0]}]]", pair[1], StringComparison.Ordinal);

        return WithIncludes(text);
    });

    [GeneratedRegex(@"\{\{(?<raw>&?)(?<name>[a-z0-9.-]+)\}\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Hole();

    [GeneratedRegex(@"\{\{>(?<file>[a-z0-9./-]+)( (?<pair>[a-z]+=[a-z0-9.-]+))*\}\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Include();
}
