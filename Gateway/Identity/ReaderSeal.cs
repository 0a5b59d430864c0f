using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace HeartGrains.Gateway.Identity;

/// <summary>An anonymous reader and when the token that says so was made.</summary>
internal readonly record struct ReaderToken(Guid Reader, DateTimeOffset IssuedAt);

/// <summary>
/// Makes and opens readers' tokens: <c>1</c> and 48 characters of base64url for reader (16 bytes), time (4, in seconds since 1970) and the first 16 bytes of their
/// HMAC-SHA-256 (RFC 2104). The HMAC also covers what the token is for, so that one made for another site does not open. Its key is derived from the secret for
/// each 30 days anew and given up when the last token under it has expired.
/// </summary>
internal sealed class ReaderSeal(byte[] secret, byte[]? previousSecret, TimeSpan lifetime)
{
    /// <summary>Length of a token in characters, all of them ASCII.</summary>
    public const int TextLength = 49;

    private const char Form = '1';
    private const int ReaderBytes = 16;
    private const int SignedBytes = ReaderBytes + sizeof(uint);
    private const int MacBytes = 16;
    private const int MaxPurposeBytes = 512;
    private static readonly TimeSpan KeyPeriod = TimeSpan.FromDays(30);
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(5);

    /// <summary>A token of the reader, made at a time.</summary>
    /// <param name="token">Reader and time; parts of a second are dropped.</param>
    /// <param name="purpose">What it is for.</param>
    public string Seal(ReaderToken token, string purpose)
    {
        Span<byte> bytes = stackalloc byte[SignedBytes + MacBytes];
        token.Reader.TryWriteBytes(bytes);
        var seconds = (uint)token.IssuedAt.ToUnixTimeSeconds();
        BinaryPrimitives.WriteUInt32BigEndian(bytes[ReaderBytes..], seconds);
        Sign(secret, bytes[..SignedBytes], seconds, purpose, bytes[SignedBytes..]);
        return Form + Base64Url.EncodeToString(bytes);
    }

    /// <summary>Opens a token that is ours, for this purpose and neither expired nor of the future.</summary>
    public bool TryOpen(ReadOnlySpan<char> text, string purpose, DateTimeOffset now, out ReaderToken token)
    {
        token = default;
        Span<byte> bytes = stackalloc byte[SignedBytes + MacBytes];
        if (text.Length != TextLength || text[0] != Form) return false;
        if (Base64Url.DecodeFromChars(text[1..], bytes, out _, out var length) != OperationStatus.Done || length != bytes.Length) return false;

        var seconds = BinaryPrimitives.ReadUInt32BigEndian(bytes[ReaderBytes..]);
        var issuedAt = DateTimeOffset.FromUnixTimeSeconds(seconds);
        if (issuedAt > now + ClockTolerance || issuedAt + lifetime <= now) return false;
        if (!IsSignedUnder(secret, bytes, seconds, purpose) && (previousSecret is null || !IsSignedUnder(previousSecret, bytes, seconds, purpose))) return false;
        token = new ReaderToken(new Guid(bytes[..ReaderBytes]), issuedAt);
        return true;
    }

    /// <summary>Whether it should be replaced while it still is believed.</summary>
    public bool IsDue(ReaderToken token, DateTimeOffset now) => now - token.IssuedAt >= lifetime / 2;

    /// <summary>A keyed hash of anything else that stands for a reader, for as long as the secret stays.</summary>
    public Guid HashOf(ReadOnlySpan<byte> data)
    {
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, data, hash);
        return new Guid(hash[..ReaderBytes]);
    }

    private static bool IsSignedUnder(byte[] secret, ReadOnlySpan<byte> token, uint seconds, string purpose)
    {
        Span<byte> mac = stackalloc byte[MacBytes];
        Sign(secret, token[..SignedBytes], seconds, purpose, mac);
        return CryptographicOperations.FixedTimeEquals(mac, token[SignedBytes..]);
    }

    private static void Sign(byte[] secret, ReadOnlySpan<byte> signed, uint seconds, string purpose, Span<byte> mac)
    {
        Span<byte> period = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(period, seconds / (long)KeyPeriod.TotalSeconds);
        Span<byte> key = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, period, key);

        Span<byte> message = stackalloc byte[1 + SignedBytes + MaxPurposeBytes];
        message[0] = (byte)Form;
        signed.CopyTo(message[1..]);
        var length = 1 + SignedBytes + Encoding.UTF8.GetBytes(purpose, message[(1 + SignedBytes)..]);
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, message[..length], hash);
        hash[..MacBytes].CopyTo(mac);
    }
}
