using System.Globalization;
using System.Text;
using HeartGrains.Hosting;

namespace HeartGrains.Gateway.OpenHeart;

/// <summary>The emoji that are taken, as exact strings. One with the variation selector U+FE0F is taken without it too, as another: the button looks up the string it sent.</summary>
internal sealed class EmojiSet
{
    /// <summary>The emoji that is a heart as everywhere else.</summary>
    public const string Heart = "❤️";

    private const int Limit = 16;
    private const char Variation = '\uFE0F';
    private const char ByteOrderMark = '\uFEFF';
    private static readonly char[] Separators = [' ', ',', '\t', '\r', '\n'];

    private EmojiSet(string[] all) => All = all;

    /// <summary>All of them, in the order configured.</summary>
    public string[] All { get; }

    /// <summary>Reads the setting.</summary>
    /// <exception cref="StartException">It is not a list of emoji.</exception>
    public static EmojiSet Parse(string setting, string text)
    {
        var all = new List<string>();
        var listed = text.Split(Separators, StringSplitOptions.RemoveEmptyEntries);
        if (listed.Length is 0 or > Limit) throw StartException.Setting(setting, $"{listed.Length} emoji are listed; list 1 to {Limit}");
        foreach (var emoji in listed)
        {
            if (StringInfo.GetNextTextElementLength(emoji) != emoji.Length || !IsEmoji(emoji)) throw StartException.Setting(setting, $"'{emoji}' is not one emoji");
            foreach (var spelling in (ReadOnlySpan<string>)[emoji, emoji.Replace(Variation.ToString(), "", StringComparison.Ordinal)])
                if (!all.Contains(spelling)) all.Add(spelling);
        }

        return new EmojiSet([.. all]);
    }

    /// <summary>The first grapheme of a body, surrounding space left out; empty when there is none.</summary>
    public static string FirstOf(ReadOnlySpan<byte> body, bool isUrlEncoded)
    {
        // More than the longest emoji needs, also with three bytes for each of its own; what follows is ignored.
        const int Enough = 512;
        var text = Encoding.UTF8.GetString(body[..Math.Min(body.Length, Enough)]);
        if (isUrlEncoded) text = Uri.UnescapeDataString(text.Replace('+', ' '));
        var trimmed = text.AsSpan().TrimStart(ByteOrderMark).TrimStart();
        return trimmed[..StringInfo.GetNextTextElementLength(trimmed)].ToString();
    }

    /// <summary>Whether it is taken.</summary>
    public bool Takes(string emoji) => Array.IndexOf(All, emoji) >= 0;

    /// <summary>A symbol, or a character made one by a keycap.</summary>
    public static bool IsEmoji(string grapheme)
    {
        const int Keycap = 0x20E3;
        foreach (var rune in grapheme.EnumerateRunes())
            if (rune.Value == Keycap || (Rune.GetUnicodeCategory(rune) == UnicodeCategory.OtherSymbol && rune != Rune.ReplacementChar)) return true;
        return false;
    }
}
