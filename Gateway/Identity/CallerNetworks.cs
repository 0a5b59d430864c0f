using System.Net;
using HeartGrains.Audit;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Hearts;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Identity;

/// <summary>Notes where a call came from, no closer than its network, and only where that is configured.</summary>
internal sealed class CallerNetworks(IOptions<AuditOptions> options)
{
    private readonly bool _areKept = options.Value.KeepNetworks;

    /// <summary>The origin, with the caller's network where networks are kept; otherwise the same object.</summary>
    public HeartOrigin Fill(HttpContext context, HeartOrigin origin) => _areKept ? origin with { Network = NetworkOf(context.Connection.RemoteIpAddress) } : origin;

    /// <summary>The address cut to /24, or of IPv6 to /48; null without one.</summary>
    internal static string? NetworkOf(IPAddress? address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        return ClientAddress.WriteNetwork(address, bytes) switch
        {
            0 => null,
            3 => new IPAddress(bytes[..4]) + "/24",
            _ => new IPAddress(bytes) + "/48",
        };
    }
}
