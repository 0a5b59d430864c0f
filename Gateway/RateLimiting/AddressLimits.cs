using System.Net;
using System.Numerics;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>
/// A token bucket for each client address, in a fixed table of 8-byte cells found by a keyed hash. There are no tags: addresses that share
/// a cell share its bucket, so none ever gets more than the limit, and no flood of addresses makes the table grow. Thread-safe.
/// </summary>
public sealed class AddressLimits
{
    private readonly TimeProvider _clock;
    private readonly UserHash _hash = new();
    private readonly long[] _cells;

    /// <summary>A table of full buckets with at least <paramref name="cells"/> cells.</summary>
    public AddressLimits(BucketTerms terms, int cells, TimeProvider clock)
    {
        Terms = terms;
        _clock = clock;
        _cells = new long[BitOperations.RoundUpToPowerOf2((uint)cells)];
    }

    /// <summary>The terms of each bucket.</summary>
    public BucketTerms Terms { get; }

    /// <summary>Takes one token of the address', or says how many ticks of the clock until there is one.</summary>
    /// <param name="address">
    /// An IPv6 address stands for its /64, the least that one subscriber has; an IPv4 address mapped into IPv6 is that IPv4 address. Clients
    /// without an address are one client.
    /// </param>
    /// <param name="waitTicks">When refused: ticks until a token is there; otherwise 0.</param>
    public bool TryAcquire(IPAddress? address, out long waitTicks) =>
        LocalTokenBucket.TryAcquire(ref _cells[(int)HashOf(address) & (_cells.Length - 1)], Terms, _clock, out waitTicks);

    private ulong HashOf(IPAddress? address)
    {
        Span<byte> bytes = stackalloc byte[ClientAddress.MaxBytes];
        return _hash.Of(bytes[..ClientAddress.Write(address, bytes)]);
    }
}
