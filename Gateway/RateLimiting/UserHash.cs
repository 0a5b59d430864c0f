using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace HeartGrains.Gateway.RateLimiting;

/// <summary>SipHash-1-3 of a user id or an address under a key of this process, so that nobody outside can aim at a place in a table.</summary>
internal sealed class UserHash
{
    private readonly ulong _key0 = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8));
    private readonly ulong _key1 = BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8));

    public ulong Of(ReadOnlySpan<char> userId) => Of(MemoryMarshal.AsBytes(userId));

    public ulong Of(ReadOnlySpan<byte> bytes)
    {
        var v0 = _key0 ^ 0x736f6d6570736575UL;
        var v1 = _key1 ^ 0x646f72616e646f6dUL;
        var v2 = _key0 ^ 0x6c7967656e657261UL;
        var v3 = _key1 ^ 0x7465646279746573UL;

        var last = (ulong)bytes.Length << 56;
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            var word = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            v3 ^= word;
            Round(ref v0, ref v1, ref v2, ref v3);
            v0 ^= word;
        }

        for (var i = 0; i < bytes.Length; i++) last |= (ulong)bytes[i] << (8 * i);
        v3 ^= last;
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= last;

        v2 ^= 0xff;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        return v0 ^ v1 ^ v2 ^ v3;
    }

    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v3;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 += v3;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
