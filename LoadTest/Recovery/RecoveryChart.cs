using System.Globalization;
using System.Text;

namespace HeartGrains.LoadTest.Recovery;

/// <summary>Draws which part of the callers had recovered how long after the service was well, a line for each model, as SVG.</summary>
internal sealed class RecoveryChart
{
    private const int Width = 1000;
    private const int Height = 460;
    private const int Left = 64;
    private const int Right = 24;
    private const int Top = 72;
    private const int Bottom = 52;
    private const int Seconds = 6;
    private const int Points = 240;
    private static readonly string[] Colors = ["#c0652a", "#2f6fb2", "#2e8b57", "#8a4fa3", "#57606a", "#b8860b"];

    private readonly StringBuilder _svg = new();

    public static string Draw(IReadOnlyList<RecoveryReport> reports, int seed) => new RecoveryChart().DrawAll(reports, seed);

    private string DrawAll(IReadOnlyList<RecoveryReport> reports, int seed)
    {
        var outages = reports[0].Traces.Count / reports[0].Model.Callers;
        Add($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" width="{Width}" height="{Height}" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="12" fill="#24292f">""");
        Add($"""<rect width="{Width}" height="{Height}" fill="#ffffff"/>""");
        Add($"""<text x="{Left}" y="24" font-size="16" font-weight="600">Callers that had recovered, {outages:N0} simulated outages, seed {seed}</text>""");
        Axes();
        foreach (var (index, report) in reports.Index()) Line(report, index);
        Add($"</svg>");
        return _svg.ToString();
    }

    private void Axes()
    {
        for (var percent = 0; percent <= 100; percent += 25)
        {
            var y = Y(percent / 100.0);
            Add($"""<line x1="{Left}" y1="{y}" x2="{Width - Right}" y2="{y}" stroke="#eaeef2"/><text x="{Left - 8}" y="{y + 4}" text-anchor="end" fill="#57606a">{percent} %</text>""");
        }

        for (var second = 0; second <= Seconds; second++)
        {
            var x = X(second);
            Add($"""<line x1="{x}" y1="{Y(0)}" x2="{x}" y2="{Y(0) + 4}" stroke="#8c959f"/><text x="{x}" y="{Y(0) + 17}" text-anchor="middle" fill="#57606a">{second}</text>""");
        }

        Add($"""<line x1="{Left}" y1="{Y(0)}" x2="{Width - Right}" y2="{Y(0)}" stroke="#8c959f"/>""");
        Add($"""<text x="{(Left + Width - Right) / 2}" y="{Height - 10}" text-anchor="middle" fill="#57606a">seconds since the service was well</text>""");
    }

    private void Line(RecoveryReport report, int index)
    {
        var color = Colors[index % Colors.Length];
        var path = new StringBuilder();
        for (var point = 0; point <= Points; point++)
        {
            var seconds = (double)Seconds * point / Points;
            path.Append(Invariant($"{(point == 0 ? 'M' : 'L')}{X(seconds)},{Y(report.RecoveredWithin(TimeSpan.FromSeconds(seconds)))}"));
        }

        Add($"""<path d="{path.ToString()}" fill="none" stroke="{color}" stroke-width="2"/>""");
        var (x, y) = (Width - Right - 300, Y(0) - 24 - (20 * (Colors.Length - 1 - index)));
        Add($"""<line x1="{x}" y1="{y - 4}" x2="{x + 20}" y2="{y - 4}" stroke="{color}" stroke-width="2"/><text x="{x + 28}" y="{y}">{report.Model.Name.Trim()}: mean {report.Mean.TotalSeconds:0.00} s</text>""");
    }

    private static double X(double seconds) => Math.Round(Left + (seconds / Seconds * (Width - Left - Right)), 1);

    private static double Y(double part) => Math.Round(Height - Bottom - (part * (Height - Top - Bottom)), 1);

    private void Add(FormattableString line) => _svg.Append(Invariant(line)).Append('\n');

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
