using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace HeartGrains.Gateway.Hearts;

/// <summary>
/// The rules for <c>target_id</c>, <c>user_id</c> and <c>campaign_id</c>: some bytes of UTF-8, no control characters, no unpaired surrogates. Compared as
/// given, without normalisation.
/// </summary>
internal static class Identifier
{
    public const int TargetByteLimit = 256;
    public const int UserByteLimit = 128;
    public const int CampaignByteLimit = 64;

    /// <summary>The longest JSON escape of one byte: <c>\u0041</c>.</summary>
    private const int BytesPerEscape = 6;

    /// <summary>Reads an identifier from the string the reader stands on. Returns what is wrong with it, or null.</summary>
    public static string? Read(ref Utf8JsonReader reader, int byteLimit, out string? value)
    {
        value = null;
        if (reader.TokenType != JsonTokenType.String)
        {
            reader.Skip();
            return "must be a string";
        }

        if (!reader.ValueIsEscaped) return Check(reader.ValueSpan, byteLimit, out value);
        if (reader.ValueSpan.Length > byteLimit * BytesPerEscape) return TooLong(byteLimit);

        Span<byte> unescaped = stackalloc byte[TargetByteLimit * BytesPerEscape];
        try
        {
            return Check(unescaped[..reader.CopyString(unescaped)], byteLimit, out value);
        }
        catch (InvalidOperationException)
        {
            return "must be valid Unicode without unpaired surrogates";
        }
    }

    /// <summary>Checks the bytes of an identifier. Returns what is wrong with it, or null.</summary>
    public static string? Check(ReadOnlySpan<byte> utf8, int byteLimit, out string? value)
    {
        var wrong = Check(utf8, byteLimit);
        value = wrong is null ? Encoding.UTF8.GetString(utf8) : null;
        return wrong;
    }

    /// <summary>Checks an identifier that came as text. Returns what is wrong with it, or null.</summary>
    public static string? Check(string text, int byteLimit)
    {
        // A character is at least one byte, and at most three.
        const int MostBytesPerCharacter = 3;
        if (text.Length > byteLimit) return TooLong(byteLimit);
        Span<byte> utf8 = stackalloc byte[TargetByteLimit * MostBytesPerCharacter];
        return Utf8.FromUtf16(text, utf8, out _, out var length, replaceInvalidSequences: false) == OperationStatus.Done
            ? Check(utf8[..length], byteLimit)
            : "must be valid Unicode without unpaired surrogates";
    }

    private static string? Check(ReadOnlySpan<byte> utf8, int byteLimit)
    {
        if (utf8.IsEmpty) return "must not be empty";
        if (utf8.Length > byteLimit) return TooLong(byteLimit);
        if (utf8.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7E) >= 0)
        {
            if (!Utf8.IsValid(utf8)) return "must be valid Unicode without unpaired surrogates";
            if (HasControl(utf8)) return "must not contain control characters";
        }

        return null;
    }

    public static string TooLong(int byteLimit) => byteLimit switch
    {
        TargetByteLimit => "must be at most 256 bytes of UTF-8",
        UserByteLimit => "must be at most 128 bytes of UTF-8",
        _ => "must be at most 64 bytes of UTF-8",
    };

    private static bool HasControl(ReadOnlySpan<byte> utf8)
    {
        for (var index = 0; index < utf8.Length; index++)
        {
            var unit = utf8[index];
            if (unit is < 0x20 or 0x7F) return true;

            // U+0080 to U+009F, the C1 controls, are C2 80 to C2 9F in UTF-8.
            if (unit == 0xC2 && utf8[index + 1] < 0xA0) return true;
        }

        return false;
    }
}
