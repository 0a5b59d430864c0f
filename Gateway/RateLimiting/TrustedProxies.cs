using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using HeartGrains.Hosting;
using Microsoft.AspNetCore.HttpOverrides;
using IPNetwork = System.Net.IPNetwork;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// Whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> are believed: setting <c>HeartGrains:TrustedProxies</c>, addresses and networks. Nobody's by default, not
/// even this machine's, for anybody can write the header.
/// </summary>
internal static class TrustedProxies
{
    /// <summary>The setting's name under <see cref="HostSettings.Section"/>.</summary>
    public const string Name = "TrustedProxies";

    private const string BelievesEverybody = "ForwardedHeaders_Enabled";
    private const string Setting = HostSettings.Section + ":" + Name;

    /// <summary>Makes the client's address that which the trusted proxies vouch for. Goes first; adds nothing when none is configured.</summary>
    public static IApplicationBuilder UseTrustedProxies(this IApplicationBuilder app)
    {
        var networks = Read(app.ApplicationServices.GetRequiredService<IConfiguration>());
        if (networks.Count == 0) return app;

        // No limit: the middleware walks the list from the right for as long as the address it has is a trusted one.
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto, ForwardLimit = null };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var network in networks) options.KnownIPNetworks.Add(network);
        return app.UseForwardedHeaders(options);
    }

    /// <summary>A list, or one string with commas.</summary>
    /// <exception cref="StartException">An entry is neither an address nor a network, or the framework was told to believe everybody.</exception>
    internal static IReadOnlyList<IPNetwork> Read(IConfiguration configuration)
    {
        if (string.Equals(configuration[BelievesEverybody], "true", StringComparison.OrdinalIgnoreCase))
            throw StartException.Setting(Setting, $"ASPNETCORE_{BelievesEverybody.ToUpperInvariant()} believes everybody's X-Forwarded-For; take it away and name your proxies");

        var section = configuration.GetSection(Setting);
        if (section.Value is { } line)
            return [.. line.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(text => Parse(Setting, text))];

        return [.. section.GetChildren().Select(child => Parse(child.Path, child.Value))];
    }

    private static IPNetwork Parse(string key, string? text)
    {
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (TryParseAddress(slash < 0 ? text : text![..slash], out var address))
        {
            if (slash < 0) return new IPNetwork(address, address.GetAddressBytes().Length * 8);
            if (IPNetwork.TryParse(text, out var network) && network.BaseAddress.Equals(address)) return network;
        }

        throw StartException.Setting(key, $"'{text}' is neither an IP address nor a network such as 10.0.0.0/8, whose bits after the prefix are 0");
    }

    /// <summary>The framework reads "10.1" as 10.0.0.1; here an IPv4 address has four parts.</summary>
    private static bool TryParseAddress(string? text, [NotNullWhen(true)] out IPAddress? address) =>
        IPAddress.TryParse(text, out address) && (address.AddressFamily == AddressFamily.InterNetworkV6 || address.ToString() == text);
}
