using System.Globalization;
using System.Security;
using System.Text;

namespace HeartGrains.Gateway.Embed;

/// <summary>How a badge's corners are cut.</summary>
internal enum BadgeStyle
{
    /// <summary>Slightly rounded.</summary>
    Flat,

    /// <summary>Not at all.</summary>
    Square,

    /// <summary>Round.</summary>
    Pill,
}

/// <summary>
/// A count as a picture: SVG without script, style or font of its own, so that it is shown the same in an <c>img</c> of a README, a mail or a page.
/// </summary>
/// <param name="Label">Left of the count, after the heart; empty for the heart alone.</param>
/// <param name="Color">Behind the count: six hexadecimal digits.</param>
/// <param name="Style">The corners.</param>
internal sealed record Badge(string Label, string Color, BadgeStyle Style)
{
    public const string DefaultColor = "d6174f";
    private const int Height = 20;
    private const double FontSize = 11;
    private const double Gap = 6;
    private const double HeartSize = 11;
    private const string HeartShape = "M12 21C6 16 2 12 2 8a5 5 0 0 1 10-2 5 5 0 0 1 10 2c0 4-4 8-10 13z";

    // Dark text on what is bright (WCAG relative luminance, at the point where both contrasts are equal).
    private const double BrightLuminance = 0.179;

    /// <summary>The picture of a count.</summary>
    public string Draw(long count)
    {
        var number = Abbreviated(count);
        var labelWidth = TextWidth.Of(Label, FontSize);
        var numberWidth = TextWidth.Of(number, FontSize);
        var left = Math.Ceiling(Gap + HeartSize + (Label.Length == 0 ? 0 : 4 + labelWidth) + Gap - 1);
        var right = Math.Ceiling(Gap + numberWidth + Gap);
        var width = left + right;
        var radius = Style switch { BadgeStyle.Square => 0, BadgeStyle.Pill => Height / 2, _ => 4 };
        var title = Escaped($"{(Label.Length == 0 ? "Hearts" : Label)}: {count.ToString("N0", CultureInfo.InvariantCulture)}");

        var svg = new StringBuilder(1024);
        svg.Append(CultureInfo.InvariantCulture, $"""<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{Height}" viewBox="0 0 {width} {Height}" role="img" aria-label="{title}"><title>{title}</title>""");
        svg.Append(CultureInfo.InvariantCulture, $"""<path fill="#3b4048" d="M{radius} 0H{left}V{Height}H{radius}A{radius} {radius} 0 0 1 0 {Height - radius}V{radius}A{radius} {radius} 0 0 1 {radius} 0z"/>""");
        svg.Append(CultureInfo.InvariantCulture, $"""<path fill="#{Color}" d="M{left} 0H{width - radius}A{radius} {radius} 0 0 1 {width} {radius}V{Height - radius}A{radius} {radius} 0 0 1 {width - radius} {Height}H{left}z"/>""");
        svg.Append(CultureInfo.InvariantCulture, $"""<path fill="#ff8fab" transform="translate({Gap - 1} 4.4) scale({HeartSize / 24:0.####})" d="{HeartShape}"/>""");
        svg.Append(CultureInfo.InvariantCulture, $"""<g font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="{FontSize}" text-anchor="middle">""");
        if (Label.Length > 0) Write(svg, Label, left - Gap - (labelWidth / 2), labelWidth, "#fff");
        Write(svg, number, left + (right / 2), numberWidth, IsBright(Color) ? "#1b1d21" : "#fff");
        return svg.Append("</g></svg>").ToString();
    }

    /// <summary>At most four characters: 999, 1.2k, 34k, 5.6M.</summary>
    internal static string Abbreviated(long count)
    {
        string[] units = ["", "k", "M", "B", "T"];
        var unit = 0;
        var value = (decimal)count;
        while (value >= 1000 && unit < units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        // Down: a badge never shows hearts that are not there.
        var digits = value < 10 && unit > 0 ? Math.Floor(value * 10) / 10 : Math.Floor(value);
        return digits.ToString("0.#", CultureInfo.InvariantCulture) + units[unit];
    }

    // Where the reader's font is wider or narrower than the one measured, the text is made to fit.
    private static void Write(StringBuilder svg, string text, double center, double width, string color) => svg.Append(
        CultureInfo.InvariantCulture, $"""<text x="{center:0.##}" y="14" fill="{color}" textLength="{width:0.##}" lengthAdjust="spacingAndGlyphs">{Escaped(text)}</text>""");

    private static bool IsBright(string color)
    {
        return (0.2126 * Linear(0)) + (0.7152 * Linear(2)) + (0.0722 * Linear(4)) > BrightLuminance;

        double Linear(int at)
        {
            var part = int.Parse(color.AsSpan(at, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0;
            return part <= 0.04045 ? part / 12.92 : Math.Pow((part + 0.055) / 1.055, 2.4);
        }
    }

    private static string Escaped(string text) => SecurityElement.Escape(text);
}

/// <summary>How wide a text is in the badge's font, Verdana: ASCII by its metrics, other scripts by a good guess.</summary>
internal static class TextWidth
{
    private const int First = ' ';
    private const int Fallback = 640;
    private const int Wide = 1000;

    // Thousandths of the font size, from space to tilde.
    private static readonly int[] Widths =
    [
        352, 394, 459, 818, 636, 1076, 727, 269, 454, 454, 636, 818, 364, 454, 364, 454, 636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 454, 454, 818, 818, 818, 545,
        1000, 684, 686, 698, 771, 632, 575, 775, 751, 421, 455, 693, 557, 843, 748, 787, 603, 787, 695, 684, 616, 732, 684, 989, 685, 615, 685, 454, 454, 454, 818, 636,
        636, 601, 623, 521, 623, 596, 352, 623, 633, 274, 344, 592, 274, 973, 633, 607, 623, 623, 427, 521, 394, 633, 592, 818, 592, 592, 525, 635, 454, 635, 818,
    ];

    public static double Of(string text, double fontSize)
    {
        var width = 0;
        foreach (var rune in text.EnumerateRunes()) width += Of(rune);
        return Math.Round(width * fontSize / 1000, 2);
    }

    private static int Of(Rune rune)
    {
        var index = rune.Value - First;
        if ((uint)index < (uint)Widths.Length) return Widths[index];
        return Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format ? 0
            : IsWide(rune.Value) ? Wide
            : Fallback;
    }

    /// <summary>Hangul, CJK and its punctuation, full-width forms, emoji (Unicode's East Asian Width, in ranges).</summary>
    private static bool IsWide(int rune) =>
        rune is >= 0x1100 and <= 0x115F or >= 0x2600 and <= 0x27BF or >= 0x2E80 and <= 0xA4CF or >= 0xAC00 and <= 0xD7A3 or >= 0xF900 and <= 0xFAFF
            or >= 0xFE30 and <= 0xFE4F or >= 0xFF00 and <= 0xFF60 or >= 0x1F000 and <= 0x1FAFF or >= 0x20000;
}
