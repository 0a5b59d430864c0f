using System.Text;
using HeartGrains.Gateway.Pages;
using Microsoft.Net.Http.Headers;

namespace HeartGrains.Gateway.Problems;

/// <summary>In an endpoint's metadata: whoever calls it reads with eyes, so that problems are told as a page, in the reader's language.</summary>
/// <param name="isStyled">Whether the style sheet of our pages is served.</param>
internal sealed class ProblemPage(bool isStyled)
{
    private const string ContentSecurityPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private readonly string _style = isStyled ? $"<link rel=\"stylesheet\" href=\"{PageAsset.All.First(static asset => asset.Name == "style").Path}\">" : "";
    private readonly string _policy = isStyled ? ContentSecurityPolicy + "; style-src 'self'" : ContentSecurityPolicy;

    public Task WriteAsync(HttpContext context, Problem problem, string detail)
    {
        var language = PageLanguages.Of(context.Request);
        var texts = language.Texts;
        var back = BackOf(context.Request);
        var html = $"""
            <!DOCTYPE html>
            <html lang="{language.Tag}">
            <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>{Escaped(texts["refused.heading"])}</title>{_style}</head>
            <body>
            <main class="refused">
            <h1>{Escaped(texts["refused.heading"])}</h1>
            <p class="lead">{Escaped(texts["refused." + WordOf(problem)])}</p>
            {(back is null ? "" : $"<p><a class=\"button\" href=\"{Escaped(back)}\">{Escaped(texts["refused.back"])}</a></p>")}
            <p lang="en"><small>{problem.Status} {problem.Code}: {Escaped(detail)}</small></p>
            </main>
            </body>
            </html>
            """;
        var response = context.Response;
        var body = Encoding.UTF8.GetBytes(html);
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = body.Length;
        response.Headers.ContentLanguage = language.Tag;
        response.Headers.Append(HeaderNames.Vary, HeaderNames.AcceptLanguage);
        response.Headers.ContentSecurityPolicy = _policy;
        response.Headers.XContentTypeOptions = "nosniff";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body).AsTask();
    }

    private static string WordOf(Problem problem) => problem.Status switch
    {
        StatusCodes.Status403Forbidden => "site",
        StatusCodes.Status429TooManyRequests => "quota",
        >= 500 => "later",
        _ => "other",
    };

    /// <summary>The page the call came from. It is that page's visitor who reads this, so it needs no leave.</summary>
    private static string? BackOf(HttpRequest request) =>
        Uri.TryCreate(request.Headers.Referer.ToString(), UriKind.Absolute, out var page) && page.Scheme is "http" or "https" ? page.AbsoluteUri : null;

    private static string Escaped(string text) => PageTemplate.Html.Encode(text);
}
