using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace HeartGrains.Gateway.Identity.Jwt;

/// <summary>Tokens that were verified, by their SHA-256. A bounded number: when the younger half is full the older is forgotten, and who is asked for again becomes young.</summary>
internal sealed class RememberedTokens(int limit)
{
    private readonly Lock _turning = new();
    private readonly int _half = (limit + 1) / 2;
    private volatile ConcurrentDictionary<TokenHash, Proof> _young = new();
    private volatile ConcurrentDictionary<TokenHash, Proof> _old = new();
    private int _youngCount;

    /// <summary>How many are remembered.</summary>
    public int Count => _young.Count + _old.Count;

    /// <summary>What the token proved, until it expires.</summary>
    public Proof? Find(ReadOnlySpan<byte> hash, DateTimeOffset now)
    {
        var key = MemoryMarshal.Read<TokenHash>(hash);
        if (!_young.TryGetValue(key, out var proof))
        {
            if (!_old.TryGetValue(key, out proof)) return null;
            if (proof.ExpiresAt > now) Add(key, proof);
        }

        return proof.ExpiresAt > now ? proof : null;
    }

    /// <summary>Remembers a token.</summary>
    public void Add(ReadOnlySpan<byte> hash, Proof proof) => Add(MemoryMarshal.Read<TokenHash>(hash), proof);

    private void Add(TokenHash key, Proof proof)
    {
        lock (_turning)
        {
            if (!_young.TryAdd(key, proof)) return;
            if (++_youngCount < _half) return;
            (_old, _young, _youngCount) = (_young, new(), 0);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct TokenHash(ulong First, ulong Second, ulong Third, ulong Fourth);
}
