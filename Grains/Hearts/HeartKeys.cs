using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace HeartGrains.Hearts;

/// <summary>
/// Derives what identifies targets and hearts from the configured secret: without it nobody can aim ids at one place of a table or
/// guess a heart's id. The secret belongs to the ledger for good; <see cref="Fingerprint"/> ties the two together.
/// </summary>
public sealed class HeartKeys
{
    /// <summary>The longest target id, in UTF-8 bytes.</summary>
    public const int MaxTargetIdBytes = 256;

    /// <summary>The longest user id, in UTF-8 bytes.</summary>
    public const int MaxUserIdBytes = 128;

    private readonly SipHash _targets;
    private readonly SipHash _hearts;
    private readonly SipHash _networks;
    private readonly byte[] _master;
    private readonly byte[] _subjects;

    /// <summary>Keys from <paramref name="secret"/>, any text.</summary>
    public HeartKeys(string secret)
    {
        ArgumentException.ThrowIfNullOrEmpty(secret);
        Span<byte> derived = stackalloc byte[SHA512.HashSizeInBytes];
        SHA512.HashData(Encoding.UTF8.GetBytes("heartgrains:" + secret), derived);
        _targets = KeyAt(derived);
        _hearts = KeyAt(derived[16..]);
        Fingerprint = Convert.ToHexStringLower(derived[32..40]);
        _master = derived[40..].ToArray();
        _networks = KeyAt(Derive("networks"));
        _subjects = Derive("subjects");
    }

    /// <summary>Tells whether a ledger was filled under the same secret, without telling the secret.</summary>
    public string Fingerprint { get; }

    /// <summary>A secret of 32 bytes for another purpose; tells nothing of the others.</summary>
    public byte[] Derive(string purpose) => HMACSHA256.HashData(_master, Encoding.UTF8.GetBytes(purpose));

    /// <summary>The target's key in the ledger.</summary>
    public Guid OfTarget(string targetId)
    {
        Span<byte> bytes = stackalloc byte[MaxTargetIdBytes];
        return _targets.Hash(bytes[..Encoding.UTF8.GetBytes(targetId, bytes)]).ToGuid();
    }

    /// <summary>The id of the user's heart for the target.</summary>
    public HeartId OfHeart(Guid target, string userId)
    {
        Span<byte> bytes = stackalloc byte[16 + MaxUserIdBytes];
        target.TryWriteBytes(bytes);
        return _hearts.Hash(bytes[..(16 + Encoding.UTF8.GetBytes(userId, bytes[16..]))]);
    }

    /// <summary>What stands for the user at the operators' desk.</summary>
    public HeartId OfUser(string userId) => OfHeart(Guid.Empty, userId);

    /// <summary>What stands for the subject of a long operation, a text of any length: 43 characters of base64url.</summary>
    public string OfSubject(string subject) => Base64Url.EncodeToString(HMACSHA256.HashData(_subjects, Encoding.UTF8.GetBytes(subject)));

    /// <summary>Proves the network that an event of a heart came from, after the network itself may be forgotten; never 0.</summary>
    public long OfNetwork(HeartId heart, long atMicros, string network)
    {
        const int MaxNetworkBytes = 64;
        Span<byte> bytes = stackalloc byte[24 + MaxNetworkBytes];
        heart.ToGuid().TryWriteBytes(bytes);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[16..], atMicros);
        return (long)_networks.Hash(bytes[..(24 + Encoding.ASCII.GetBytes(network, bytes[24..]))]).Low | 1;
    }

    /// <summary>The same of an origin; 0 where it has no network.</summary>
    public long OfNetwork(HeartId heart, long atMicros, HeartOrigin? origin) => origin?.Network is { } network ? OfNetwork(heart, atMicros, network) : 0;

    private static SipHash KeyAt(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));
}
