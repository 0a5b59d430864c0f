using System.Collections.Concurrent;
using System.IO.Compression;
using System.Security.Cryptography;

namespace HeartGrains.Gateway.Embed;

/// <summary>A file for browsers, held as it is and compressed, so that a request for it costs a copy.</summary>
internal sealed class WebFile
{
    // The assembly stays as it is: what is in it is read and compressed once.
    private static readonly ConcurrentDictionary<string, WebFile> Loaded = new();

    private readonly byte[] _brotli;
    private readonly byte[] _gzip;

    public WebFile(string name, byte[] bytes)
    {
        Bytes = bytes;
        ContentType = TypeOf(name);
        Hash = Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];

        // Weak: one tag for all encodings.
        EntityTag = $"W/\"{Hash}\"";
        _brotli = Compressed(bytes, static stream => new BrotliStream(stream, CompressionLevel.SmallestSize));
        _gzip = Compressed(bytes, static stream => new GZipStream(stream, CompressionLevel.SmallestSize));
    }

    public byte[] Bytes { get; }

    /// <summary>Sixteen hexadecimal digits that change with the content.</summary>
    public string Hash { get; }

    public string EntityTag { get; }

    public string ContentType { get; }

    /// <summary>A file of <c>wwwroot</c>, as it stands in the assembly.</summary>
    /// <param name="name">Its path in that folder, with slashes.</param>
    public static WebFile Load(string name) => Loaded.GetOrAdd(name, Read);

    private static WebFile Read(string name)
    {
        using var stream = typeof(WebFile).Assembly.GetManifestResourceStream("wwwroot/" + name)
            ?? throw new FileNotFoundException($"There is no wwwroot/{name} in the assembly.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return new WebFile(name, bytes);
    }

    /// <summary>Answers with the file, or that the caller's copy is still good.</summary>
    public Task SendAsync(HttpContext context, string cacheControl)
    {
        var (request, response) = (context.Request, context.Response);
        var headers = response.Headers;
        headers.CacheControl = cacheControl;
        headers.ETag = EntityTag;
        headers.Vary = "Accept-Encoding";
        headers.XContentTypeOptions = "nosniff";
        if (IsKnown(request.Headers.IfNoneMatch.ToString()))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        var body = Pick(request.Headers.AcceptEncoding.ToString(), out var encoding);
        if (encoding is not null) headers.ContentEncoding = encoding;
        response.ContentType = ContentType;
        response.ContentLength = body.Length;
        return HttpMethods.IsHead(request.Method) ? Task.CompletedTask : response.Body.WriteAsync(body).AsTask();
    }

    private bool IsKnown(string ifNoneMatch) => ifNoneMatch == "*" || ifNoneMatch.Contains($"\"{Hash}\"", StringComparison.Ordinal);

    private byte[] Pick(string acceptEncoding, out string? encoding)
    {
        encoding = Accepts(acceptEncoding, "br") && _brotli.Length < Bytes.Length ? "br"
            : Accepts(acceptEncoding, "gzip") && _gzip.Length < Bytes.Length ? "gzip"
            : null;
        return encoding switch { "br" => _brotli, "gzip" => _gzip, _ => Bytes };
    }

    /// <summary>Whether a coding is named and not refused by <c>q=0</c> (RFC 9110, section 12.5.3).</summary>
    private static bool Accepts(ReadOnlySpan<char> acceptEncoding, string coding)
    {
        foreach (var range in acceptEncoding.Split(','))
        {
            var part = acceptEncoding[range].Trim();
            var end = part.IndexOf(';');
            if (!(end < 0 ? part : part[..end]).TrimEnd().Equals(coding, StringComparison.OrdinalIgnoreCase)) continue;
            return end < 0 || part[(end + 1)..].ContainsAnyInRange('1', '9');
        }

        return false;
    }

    private static byte[] Compressed(byte[] bytes, Func<Stream, Stream> compress)
    {
        using var target = new MemoryStream();
        using (var stream = compress(target)) stream.Write(bytes);
        return target.ToArray();
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        ".png" => "image/png",
        ".ico" => "image/x-icon",
        ".webmanifest" => "application/manifest+json",
        _ => throw new ArgumentException($"What is {name}? Give its content type here.", nameof(name)),
    };
}

/// <summary>Maps files for browsers.</summary>
internal static class WebFileRoutes
{
    /// <summary>Asks back each time, and usually hears that nothing changed.</summary>
    public const string Revalidated = "no-cache";

    /// <summary>For an address that bears the content's hash.</summary>
    public const string Immutable = "public, max-age=31536000, immutable";

    private static readonly string[] Reading = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Serves a file at an address.</summary>
    public static IEndpointConventionBuilder MapWebFile(
        this IEndpointRouteBuilder routes, string pattern, WebFile file, string cacheControl = Revalidated) =>
        routes.MapMethods(pattern, Reading, (RequestDelegate)(context => file.SendAsync(context, cacheControl))).WithDisplayName("file");
}
