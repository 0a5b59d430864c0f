using System.Text;
using System.Text.Encodings.Web;

namespace HeartGrains.Gateway.Problems;

/// <summary>In an endpoint's metadata: whoever calls it reads with eyes, so that problems are told as a page.</summary>
internal sealed class ProblemPage
{
    public static readonly ProblemPage Instance = new();

    public Task WriteAsync(HttpContext context, Problem problem, string detail)
    {
        var back = BackOf(context.Request);
        var html = $"""
            <!doctype html>
            <html lang="en">
            <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>{Escaped(problem.Title)}</title></head>
            <body>
            <h1>{Escaped(problem.Title)}</h1>
            <p>{Escaped(detail)}</p>
            {(back is null ? "" : $"<p><a href=\"{Escaped(back)}\">Back to the page</a></p>")}
            <p><small>{problem.Status} {problem.Code}</small></p>
            </body>
            </html>
            """;
        var response = context.Response;
        var body = Encoding.UTF8.GetBytes(html);
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = body.Length;
        response.Headers.ContentSecurityPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        response.Headers.XContentTypeOptions = "nosniff";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body).AsTask();
    }

    /// <summary>The page the call came from. It is that page's visitor who reads this, so it needs no leave.</summary>
    private static string? BackOf(HttpRequest request) =>
        Uri.TryCreate(request.Headers.Referer.ToString(), UriKind.Absolute, out var page) && page.Scheme is "http" or "https" ? page.AbsoluteUri : null;

    private static string Escaped(string text) => HtmlEncoder.Default.Encode(text);
}
