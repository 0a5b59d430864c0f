using System.Globalization;
using System.Text;

namespace HeartGrains.Gateway.Hearts;

/// <summary>Times as RFC 3339 has them: date, <c>T</c>, time with up to seven places behind the second, and <c>Z</c> or an offset. From 1970 on.</summary>
internal static class Timestamp
{
    private static readonly string[] Forms = ["yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", "yyyy-MM-dd'T'HH:mm:sszzz", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz"];

    /// <summary>Reads a time; null when it is none.</summary>
    public static DateTimeOffset? Parse(ReadOnlySpan<byte> text)
    {
        const int LongestForm = 33;
        if (text.Length > LongestForm || !Ascii.IsValid(text)) return null;
        Span<char> characters = stackalloc char[LongestForm];
        var length = Encoding.ASCII.GetChars(text, characters);
        return DateTimeOffset.TryParseExact(characters[..length], Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && time >= DateTimeOffset.UnixEpoch
            ? time.ToUniversalTime()
            : null;
    }
}
