using HeartGrains.Hosting;

namespace HeartGrains.Gateway.Sites;

/// <summary>
/// Whose pages may call this service from a browser: its own, and those of setting <c>HeartGrains:Sites</c>, a list or one line with commas, followed while the
/// program runs. Nobody else's by default.
/// </summary>
internal sealed class SiteList : IDisposable
{
    /// <summary>The setting's name under <see cref="HostSettings.Section"/>.</summary>
    public const string Name = "Sites";

    private const string Setting = HostSettings.Section + ":" + Name;
    private readonly LiveSettings<SitePattern[]> _patterns;
    private readonly bool _isLocal;

    /// <summary>Reads the setting.</summary>
    /// <exception cref="StartException">An entry is not an origin.</exception>
    public SiteList(IConfiguration configuration, ILogger<SiteList> logger)
    {
        _patterns = new LiveSettings<SitePattern[]>(configuration, Read, logger);
        _isLocal = Loopback.IsHost(configuration.Read<HostSettings>().Listen);
    }

    public void Dispose() => _patterns.Dispose();

    /// <summary>Whether a site beyond this machine is configured: then others than this machine's own programs are expected to call.</summary>
    public bool HasPublic => Array.Exists(_patterns.Current, static pattern => !pattern.IsLoopback);

    /// <summary>The configured entry that an origin belongs to, or null.</summary>
    public string? EntryOf(string origin) => Array.Find(_patterns.Current, pattern => pattern.Matches(origin))?.Text;

    /// <summary>Whether the call comes from a page of a configured site or of this service, or from no page at all: then it bears no <c>Origin</c>.</summary>
    public bool Allows(HttpContext context) => OriginOf(context) is not { } origin || IsAllowed(origin, context);

    /// <summary>Whether the origin is a configured site's, or the one this request was sent to.</summary>
    public bool IsAllowed(string origin, HttpContext context) => IsOwn(origin, context.Request) || EntryOf(origin) is not null;

    /// <summary>Reads an address to send a browser to: a page of this service or of a configured site; anything else would lend this host's name to whoever writes the link.</summary>
    public bool TryReadPage(string? address, HttpContext context, out string location)
    {
        var isPage = Uri.TryCreate(address, UriKind.Absolute, out var page) && page.Scheme is "http" or "https" && page.UserInfo.Length == 0
            && IsAllowed(page.GetLeftPart(UriPartial.Authority), context);
        location = isPage ? page!.AbsoluteUri : "";
        return isPage;
    }

    /// <summary>The site that the calling page is of: a configured entry; empty for this service's own pages and for callers that are no page; null for others.</summary>
    public string? SiteOf(HttpContext context) =>
        OriginOf(context) is not { } origin || IsOwn(origin, context.Request) ? "" : EntryOf(origin);

    /// <summary>Whether the call comes from a page of another origin.</summary>
    public static bool IsForeign(HttpContext context) => OriginOf(context) is { } origin && !IsSame(origin, context.Request);

    private static string? OriginOf(HttpContext context) => context.Request.Headers.Origin is { Count: > 0 } origin ? origin.ToString() : null;

    /// <summary>
    /// The page came from the host it now calls. That alone says little where this service listens for this machine only: a page whose name was made to mean this machine
    /// (DNS rebinding) could say so too, and such a name has to be a configured site's.
    /// </summary>
    private bool IsOwn(string origin, HttpRequest request) => IsSame(origin, request) && (!_isLocal || Loopback.IsHost(request.Host.Host));

    private static bool IsSame(string origin, HttpRequest request) =>
        request.Host.HasValue && origin.Length == request.Scheme.Length + 3 + request.Host.Value!.Length
        && origin.StartsWith(request.Scheme, StringComparison.OrdinalIgnoreCase)
        && origin.AsSpan(request.Scheme.Length, 3).SequenceEqual("://")
        && origin.EndsWith(request.Host.Value, StringComparison.OrdinalIgnoreCase);

    private static SitePattern[] Read(IConfiguration configuration)
    {
        var section = configuration.GetSection(Setting);
        return section.Value is { } line
            ? [.. line.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(text => Parse(Setting, text))]
            : [.. section.GetChildren().Select(child => Parse(child.Path, child.Value))];
    }

    private static SitePattern Parse(string key, string? text) =>
        SitePattern.TryParse(text, out var pattern)
            ? pattern
            : throw StartException.Setting(key, $"'{text}' is not the origin of a site, such as https://blog.example.com, https://*.example.com or http://localhost:*");
}
