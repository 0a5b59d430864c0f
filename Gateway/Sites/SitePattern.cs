using System.Diagnostics.CodeAnalysis;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.Sites;

/// <summary>
/// An origin (RFC 6454) that may embed hearts: <c>https://blog.example.com</c>; <c>https://*.example.com</c>, any sub-domain but not the domain itself;
/// <c>http://localhost:*</c>, any port.
/// </summary>
internal sealed record SitePattern
{
    private const int LongestOrigin = 300;
    private const string AnySubdomain = "*.";

    private SitePattern(string text, string scheme, string host, bool takesSubdomains, int? port) =>
        (Text, _scheme, _host, _takesSubdomains, _port) = (text, scheme, host, takesSubdomains, port);

    private readonly string _scheme;
    private readonly string _host;
    private readonly bool _takesSubdomains;
    private readonly int? _port;

    /// <summary>As configured: what stands for all origins that match.</summary>
    public string Text { get; }

    /// <summary>Whether all of them are on this machine.</summary>
    public bool IsLoopback => !_takesSubdomains && Loopback.IsHost(_host);

    /// <summary>Whether the origin, as a browser writes it, is one of these.</summary>
    public bool Matches(string origin)
    {
        if (origin.Length > LongestOrigin || !TryReadOrigin(origin, out var uri)) return false;
        if (uri.Scheme != _scheme || (_port is { } port && uri.Port != port)) return false;
        return _takesSubdomains
            ? uri.IdnHost.Length > _host.Length + 1 && uri.IdnHost.EndsWith(_host, StringComparison.Ordinal) && uri.IdnHost[^(_host.Length + 1)] == '.'
            : uri.IdnHost == _host;
    }

    /// <summary>Reads a pattern; false for anything but scheme, host and port.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out SitePattern? pattern)
    {
        pattern = null;
        var end = text?.IndexOf("://", StringComparison.Ordinal) ?? -1;
        if (text is null || end < 0) return false;
        var rest = text[(end + 3)..];
        var takesSubdomains = rest.StartsWith(AnySubdomain, StringComparison.Ordinal);
        if (takesSubdomains) rest = rest[AnySubdomain.Length..];
        var takesPorts = rest.EndsWith(":*", StringComparison.Ordinal);
        if (takesPorts) rest = rest[..^2];
        if (!TryReadOrigin(text[..(end + 3)] + rest, out var uri)) return false;

        // One label, or an address. What else many owners share, such as co.uk, only its operator can know.
        if (takesSubdomains && (uri.HostNameType != UriHostNameType.Dns || !uri.IdnHost.Contains('.'))) return false;
        pattern = new SitePattern(text, uri.Scheme, uri.IdnHost, takesSubdomains, takesPorts ? null : uri.Port);
        return true;
    }

    private static bool TryReadOrigin(string text, [NotNullWhen(true)] out Uri? uri) =>
        Uri.TryCreate(text, UriKind.Absolute, out uri)
        && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
        && uri.PathAndQuery == "/" && !text.EndsWith('/') && uri.UserInfo.Length == 0 && uri.Fragment.Length == 0 && !text.Contains('*') && !text.Contains('?');
}
