using HeartGrains.Gateway.Sites;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.Identity;

/// <summary>Who may say who they are, as configured now.</summary>
internal sealed class AuthPolicy
{
    private readonly bool? _allowsClaims;
    private readonly bool _isLocal;

    private AuthPolicy(AuthOptions options, HostSettings host, bool hasProxies)
    {
        Keys = ServerKeys.Of(options.Keys);
        _allowsClaims = options.AllowClaimedUser;
        _isLocal = host.Mode != HostMode.Cluster && !hasProxies && Loopback.IsHost(host.Listen);
    }

    /// <summary>The keys of back ends and operators.</summary>
    public ServerKeys Keys { get; }

    /// <summary>Reads the settings.</summary>
    /// <exception cref="StartException">They cannot be used.</exception>
    public static AuthPolicy Read(IConfiguration configuration) =>
        new(configuration.ReadChecked<AuthOptions>(AuthOptions.Section), configuration.Read<HostSettings>(), OperatorHosts.HasProxies(configuration));

    /// <summary>Whether this caller's <c>user_id</c> may be believed without proof. Unless configured, only of callers on this machine, and nowhere that others than those are expected.</summary>
    public bool AllowsClaims(HttpContext context, SiteList sites) => _allowsClaims ?? (_isLocal && !sites.HasPublic && IsFromHere(context));

    /// <summary>
    /// A connection from this machine, to this machine by name, that nobody says to have passed on. The name tells a page whose own name was made to mean this machine (DNS rebinding), and a proxy that adds
    /// no header but passes on the host it was called by.
    /// </summary>
    private static bool IsFromHere(HttpContext context) =>
        Loopback.IsFrom(context) && Loopback.IsHost(context.Request.Host.Host) && !IsForwarded(context.Request.Headers);

    private static bool IsForwarded(IHeaderDictionary headers)
    {
        foreach (var (name, _) in headers)
            if (TellsOfProxy(name)) return true;
        return false;
    }

    private static bool TellsOfProxy(string name)
    {
        return Is("Via") || Is("Forwarded") || Is("X-Real-IP") || Is("Client-IP") || Starts("X-Forwarded") || Starts("X-Original-For") || Ends("-Client-IP") || Ends("-Connecting-IP");

        bool Is(string other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);

        bool Starts(string start) => name.StartsWith(start, StringComparison.OrdinalIgnoreCase);

        bool Ends(string end) => name.EndsWith(end, StringComparison.OrdinalIgnoreCase);
    }
}
