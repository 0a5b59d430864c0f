using System.Net;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// Whom an address policy counts: an IPv4 address, or the first 64 bits of an IPv6 one, which is what one customer is usually given.
/// </summary>
internal static class ClientAddress
{
    /// <summary>Room for what <see cref="Write"/> writes.</summary>
    public const int MaxBytes = 16;

    private const int IPv4Bytes = 4;
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
}
