using System.Net;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// Whom an address policy counts: an IPv4 address, or the first 64 bits of an IPv6 one, which is what one customer is usually given.
/// </summary>
internal static class ClientAddress
{
    /// <summary>Room for what <see cref="Write"/> writes.</summary>
    public const int MaxBytes = 16;

    /// <summary>Room for what <see cref="WriteNetwork"/> writes.</summary>
    public const int MaxNetworkBytes = 6;

    private const int IPv4Bytes = 4;
    private const int IPv4NetworkBytes = 3;
    private const int NetworkBytes = 8;

    /// <summary>The client's address as text; empty when the connection has none.</summary>
    public static string Of(HttpContext context)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        var length = Write(context.Connection.RemoteIpAddress, bytes);
        if (length == 0) return "";
        if (length == IPv4Bytes) return new IPAddress(bytes[..IPv4Bytes]).ToString();
        bytes[NetworkBytes..].Clear();
        return new IPAddress(bytes) + "/64";
    }

    /// <summary>Writes the bytes that are counted: 4 of IPv4, also when mapped into IPv6; 8 of IPv6; none without an address. Returns how many.</summary>
    public static int Write(IPAddress? address, Span<byte> bytes)
    {
        if (address is null || !address.TryWriteBytes(bytes, out var length)) return 0;
        if (length == IPv4Bytes) return IPv4Bytes;
        if (!address.IsIPv4MappedToIPv6) return NetworkBytes;
        bytes[(MaxBytes - IPv4Bytes)..].CopyTo(bytes);
        return IPv4Bytes;
    }

    /// <summary>Writes the network that stands for an address where who it is must not be told: 3 bytes of IPv4 (/24), also when mapped into IPv6, 6 of IPv6 (/48), none without an address. Returns how many.</summary>
    public static int WriteNetwork(IPAddress? address, Span<byte> network)
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        var length = Write(address, bytes) switch { 0 => 0, IPv4Bytes => IPv4NetworkBytes, _ => MaxNetworkBytes };
        bytes[..length].CopyTo(network);
        return length;
    }
}
