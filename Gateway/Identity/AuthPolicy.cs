using System.Net;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.Identity;

/// <summary>Who may say who they are, as configured now.</summary>
internal sealed class AuthPolicy
{
    private readonly bool? _allowsClaims;
    private readonly bool _isLocal;

    private AuthPolicy(AuthOptions options, HostSettings host)
    {
        Keys = ServerKeys.Of(options.Keys);
        _allowsClaims = options.AllowClaimedUser;
        _isLocal = host.Mode != HostMode.Cluster && IPAddress.TryParse(host.Listen, out var address) && IPAddress.IsLoopback(address);
    }

    /// <summary>The keys of back ends and operators.</summary>
    public ServerKeys Keys { get; }

    /// <summary>Reads the settings.</summary>
    /// <exception cref="StartException">They cannot be used.</exception>
    public static AuthPolicy Read(IConfiguration configuration) =>
        new(configuration.ReadChecked<AuthOptions>(AuthOptions.Section), configuration.Read<HostSettings>());

    /// <summary>
    /// Whether this caller's <c>user_id</c> is believed without proof. Unless configured, only of callers on this machine: a proxy in front, which also calls from here, is known by the header that it adds.
    /// </summary>
    public bool AllowsClaims(HttpContext context) => _allowsClaims ?? (_isLocal && IsFromHere(context));

    private static bool IsFromHere(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
        && !context.Request.Headers.ContainsKey("X-Forwarded-For") && !context.Request.Headers.ContainsKey("Forwarded");
}
