using System.Net;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace HeartGrains.Hosting;

/// <summary>What stays on this machine.</summary>
public static class Loopback
{
    /// <summary>Whether a host, as a URL writes it, can only be this machine.</summary>
    public static bool IsHost(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>Whether a request came over a connection from this machine.</summary>
    public static bool IsFrom(HttpContext context) => context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address);
}

/// <summary>
/// The hosts by which this machine's own programs find what is for operators: metrics and the dashboard ask nobody who they are, and a page whose name was made to mean this machine (DNS rebinding) could read them from
/// a browser on it. Any host where proxies are trusted, which pass on the one they were called by, or where <c>AllowedHosts</c> refuses others already.
/// </summary>
public sealed class OperatorHosts(IConfiguration configuration, IOptionsMonitor<HostFilteringOptions> filter)
{
    private static readonly string[] Everybody = ["*", "[::]", "0.0.0.0"];

    private readonly bool _hasProxies = HasProxies(configuration);

    /// <summary>Whether proxies are trusted: setting <c>HeartGrains:TrustedProxies</c>.</summary>
    public static bool HasProxies(IConfiguration configuration)
    {
        var section = configuration.GetSection(HostSettings.Section + ":TrustedProxies");
        return section.Value is { } line ? !string.IsNullOrWhiteSpace(line) : section.GetChildren().Any();
    }

    /// <summary>Whether the request may find them.</summary>
    internal bool Take(HttpContext context) => !Loopback.IsFrom(context) || Loopback.IsHost(context.Request.Host.Host) || _hasProxies || IsFiltered(filter.CurrentValue.AllowedHosts);

    private static bool IsFiltered(IList<string> allowed) => allowed is { Count: > 0 } && !allowed.Any(Everybody.Contains);
}
