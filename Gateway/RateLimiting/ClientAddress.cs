using System.Net;
using System.Net.Sockets;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// Whom an address policy counts: an IPv4 address, or the first 64 bits of an IPv6 one, which is what one customer is usually given.
/// </summary>
internal static class ClientAddress
{
    private const int PrefixBytes = 8;

    /// <summary>The client's address as text; empty when the connection has none.</summary>
    public static string Of(HttpContext context)
    {
        if (context.Connection.RemoteIpAddress is not { } address) return "";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address.ToString();

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[PrefixBytes..].Clear();
        return new IPAddress(bytes) + "/64";
    }
}
