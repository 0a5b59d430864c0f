using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using HeartGrains.Hearts;

namespace HeartGrains.Audit;

/// <summary>
/// The chain's arithmetic: what the hash of a block is. Written once for all stores; <c>docs/audit.md</c> has the bytes, for whoever wants to check it without this program.
/// A block's hash is SHA-256 over the hash before it, the block's number, its events in order, and its place, time and count. An event's bytes hold all of its row but the user's name and the network, which may be
/// forgotten one day: keyed hashes of both are in them. One at a time.
/// </summary>
public sealed class EventChain : IDisposable
{
    /// <summary>The length of a hash.</summary>
    public const int HashBytes = SHA256.HashSizeInBytes;

    private const int FixedEventBytes = 100;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _key;
    private byte[] _buffer = new byte[16 * 1024];
    private int _length;
    private long _number;
    private long _events;

    /// <summary>A chain whose seals are made under the ledger's key.</summary>
    public EventChain(HeartKeys keys) => _key = keys.Derive("seals");

    /// <summary>The hash before the first block.</summary>
    public static byte[] Origin => new byte[HashBytes];

    private static ReadOnlySpan<byte> Format => "hgseal:1"u8;

    /// <summary>Begins a block.</summary>
    public void Start(ReadOnlySpan<byte> previousHash, long number)
    {
        // What an earlier block left when it was given up.
        _hash.TryGetHashAndReset(stackalloc byte[HashBytes], out _);
        (_length, _number, _events) = (0, number, 0);
        Raw(Format);
        Raw(previousHash);
        Number(number);
    }

    /// <summary>Adds the block's next event.</summary>
    public void Add(in RawEvent row)
    {
        Room(FixedEventBytes);
        _buffer[_length++] = (byte)row.Kind;
        Number(row.Position.Order);
        Id(row.Position.Target);
        Number(row.Position.Version);
        Id(row.Heart.ToGuid());
        Number(row.Writer);
        Number(row.AtMicros);
        Number(row.Cause);
        Number(row.NetworkMac);
        Text(row.TargetId);
        Text(row.Actor);
        Text(row.Job);
        if (row.About is { } about)
        {
            Number(16, 4);
            Id(about);
        }
        else
        {
            Text(null);
        }

        Text(row.Detail);
        _events++;
    }

    /// <summary>Ends the block.</summary>
    public EventSeal Finish(long position, long atMicros)
    {
        Number(position);
        Number(atMicros);
        Number(_events);
        Flush();
        var hash = _hash.GetHashAndReset();
        return new EventSeal(_number, position, _events, atMicros, hash, HMACSHA256.HashData(_key, hash));
    }

    /// <summary>Whether a seal was made under the ledger's key.</summary>
    public bool IsGenuine(EventSeal seal) => CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(_key, seal.Hash), seal.Mac);

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();

    /// <summary>A length of four bytes, and so many bytes of UTF-8; the length of what is null is -1.</summary>
    private void Text(string? text)
    {
        if (text is null)
        {
            Number(-1, 4);
            return;
        }

        Room(4 + Encoding.UTF8.GetMaxByteCount(text.Length));
        var length = Encoding.UTF8.GetBytes(text, _buffer.AsSpan(_length + 4));
        Number(length, 4);
        _length += length;
    }

    private void Number(long value)
    {
        Room(8);
        BinaryPrimitives.WriteInt64BigEndian(_buffer.AsSpan(_length), value);
        _length += 8;
    }

    private void Number(int value, int bytes)
    {
        Room(bytes);
        BinaryPrimitives.WriteInt32BigEndian(_buffer.AsSpan(_length), value);
        _length += bytes;
    }

    private void Id(Guid id)
    {
        Room(16);
        id.TryWriteBytes(_buffer.AsSpan(_length), bigEndian: true, out _);
        _length += 16;
    }

    private void Raw(ReadOnlySpan<byte> bytes)
    {
        Room(bytes.Length);
        bytes.CopyTo(_buffer.AsSpan(_length));
        _length += bytes.Length;
    }

    private void Room(int bytes)
    {
        if (_buffer.Length - _length >= bytes) return;
        Flush();
        if (_buffer.Length < bytes) _buffer = new byte[bytes];
    }

    private void Flush()
    {
        _hash.AppendData(_buffer, 0, _length);
        _length = 0;
    }
}
