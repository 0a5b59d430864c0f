using System.Net;
using HeartGrains.Audit;
using HeartGrains.Hearts;
using Microsoft.Extensions.Options;

namespace HeartGrains.Gateway.Identity;

/// <summary>Notes where a call came from, no closer than its network, and only where that is configured.</summary>
internal sealed class CallerNetworks(IOptions<AuditOptions> options)
{
    private const int IPv4Bytes = 4;
    private readonly bool _areKept = options.Value.KeepNetworks;

    /// <summary>The origin, with the caller's network where networks are kept; otherwise the same object.</summary>
    public HeartOrigin Fill(HttpContext context, HeartOrigin origin) => _areKept ? origin with { Network = NetworkOf(context.Connection.RemoteIpAddress) } : origin;

    /// <summary>The address cut to /24, or of IPv6 to /48; null without one.</summary>
    internal static string? NetworkOf(IPAddress? address)
    {
        if (address is null) return null;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        var (kept, suffix) = length == IPv4Bytes ? (3, "/24") : (6, "/48");
        bytes[kept..length].Clear();
        return new IPAddress(bytes[..length]) + suffix;
    }
}
