using System.Buffers.Text;
using System.Runtime.InteropServices;

namespace HeartGrains.Hearts;

/// <summary>
/// A heart's id: 128 bits of a keyed hash of (target, user), so that every repeat on any silo finds the same one with nothing
/// to look up. Written as <c>h</c> and 22 characters of base64url.
/// </summary>
[GenerateSerializer, Immutable, Alias("hearts.HeartId")]
public readonly record struct HeartId([property: Id(0)] ulong Low, [property: Id(1)] ulong High)
{
    /// <summary>Length of the written form in characters, all ASCII.</summary>
    public const int TextLength = 23;

    /// <summary>The id as a UUID, the form ledgers store.</summary>
    public Guid ToGuid() => new(Bytes(this));

    /// <summary>The id stored as <paramref name="value"/>.</summary>
    public static HeartId FromGuid(Guid value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes);
        return MemoryMarshal.Read<HeartId>(bytes);
    }

    /// <summary>Reads the text form.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out HeartId id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id = default;
        if (text.Length != TextLength || text[0] != 'h' || !Base64Url.IsValid(text[1..]) || Base64Url.DecodeFromChars(text[1..], bytes) != bytes.Length) return false;
        id = MemoryMarshal.Read<HeartId>(bytes);
        return true;
    }

    /// <summary>Writes the text form, <see cref="TextLength"/> ASCII bytes, to <paramref name="destination"/>.</summary>
    public void WriteUtf8(Span<byte> destination)
    {
        destination[0] = (byte)'h';
        Base64Url.EncodeToUtf8(Bytes(this), destination[1..]);
    }

    /// <inheritdoc/>
    public override string ToString() => "h" + Base64Url.EncodeToString(Bytes(this));

    /// <inheritdoc/>
    public override int GetHashCode() => unchecked((int)Low);

    private static ReadOnlySpan<byte> Bytes(in HeartId id) =>
        MemoryMarshal.AsBytes(MemoryMarshal.CreateReadOnlySpan(in id, 1));
}
