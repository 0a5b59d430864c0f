using System.Globalization;
using System.Text;

namespace HeartGrains.LoadTest.Limiters;

/// <summary>Draws what each limiter admitted over time, one panel below the other, as SVG.</summary>
internal sealed class LimiterChart
{
    private const int Width = 1000;
    private const int Left = 64;
    private const int Right = 24;
    private const int Top = 78;
    private const int PanelHeight = 118;
    private const int PanelDistance = 164;
    private const int Bottom = 80;
    private static readonly string[] Colors = ["#2f6fb2", "#2e8b57", "#c0652a", "#8a4fa3"];

    private readonly StringBuilder _svg = new();
    private readonly IReadOnlyList<LimiterReport> _reports;
    private readonly LoadPlan _plan;
    private readonly double _most;

    private LimiterChart(IReadOnlyList<LimiterReport> reports)
    {
        (_reports, _plan) = (reports, reports[0].Plan);
        _most = _plan.PerSecond * (LoadPlan.BurstFactor + 0.4);
    }

    public static string Draw(IReadOnlyList<LimiterReport> reports) => new LimiterChart(reports).Draw();

    private string Draw()
    {
        var height = Top + (PanelDistance * _reports.Count) + Bottom - (PanelDistance - PanelHeight);
        Add($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {height}" width="{Width}" height="{height}" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="12" fill="#24292f">""");
        Add($"""<rect width="{Width}" height="{height}" fill="#ffffff"/>""");
        Add($"""<text x="{Left}" y="24" font-size="16" font-weight="600">Requests a second in slots of 100 ms; limit {_plan.PerSecond:N0}/s for one user</text>""");
        Legend();
        StepNames();
        foreach (var (index, report) in _reports.Index()) Panel(report, Top + 32 + (PanelDistance * index), Colors[index % Colors.Length]);
        Add($"""<text x="{(Left + Width - Right) / 2}" y="{height - 8}" text-anchor="middle" fill="#57606a">seconds</text>""");
        Add($"</svg>");
        return _svg.ToString();
    }

    private void Legend()
    {
        Add($"""<rect x="{Left}" y="38" width="14" height="12" fill="#d5dae0"/><text x="{Left + 20}" y="48">asked</text>""");
        Add($"""<rect x="{Left + 76}" y="38" width="14" height="12" fill="{Colors[0]}"/><text x="{Left + 96}" y="48">admitted</text>""");
        Add($"""<line x1="{Left + 170}" y1="44" x2="{Left + 190}" y2="44" stroke="#24292f" stroke-width="1.2"/><text x="{Left + 196}" y="48">the ideal would admit</text>""");
        Add($"""<line x1="{Left + 340}" y1="44" x2="{Left + 360}" y2="44" stroke="#cf222e" stroke-dasharray="4 3"/><text x="{Left + 366}" y="48">limit</text>""");
    }

    private void StepNames()
    {
        Name("evenly at the limit", LoadStepKind.Even);
        Name("bursts on half the limit", LoadStepKind.BusyBurst);
        Name("bursts after nothing", LoadStepKind.QuietBurst);

        void Name(string name, LoadStepKind kind)
        {
            var steps = _plan.Steps.Where(step => step.Kind == kind).ToList();
            if (steps.Count > 0) Add($"""<text x="{X((steps[0].Start + steps[^1].End).TotalSeconds / 2)}" y="{Top}" text-anchor="middle" fill="#57606a">{name}</text>""");
        }
    }

    private void Panel(LimiterReport report, int top, string color)
    {
        var slots = report.Slots();
        var bottom = top + PanelHeight;
        Add($"""<text x="{Left}" y="{top - 8}"><tspan font-weight="600">{report.Case.Name}</tspan><tspan fill="#57606a" dx="8">{report.Case.Terms}</tspan></text>""");
        for (var level = 0; level <= LoadPlan.BurstFactor; level++)
        {
            var y = Y(level * _plan.PerSecond, bottom);
            Add($"""<line x1="{Left}" y1="{y}" x2="{Width - Right}" y2="{y}" stroke="#eaeef2"/><text x="{Left - 8}" y="{y + 4}" text-anchor="end" fill="#57606a">{level * _plan.PerSecond:N0}</text>""");
        }

        Add($"""<path d="{Area(slots.Select(slot => slot.Asked), bottom)}" fill="#d5dae0"/>""");
        Add($"""<path d="{Area(slots.Select(slot => slot.Admitted), bottom)}" fill="{color}"/>""");
        Add($"""<path d="{Outline(slots.Select(slot => slot.Ideal), bottom)}" fill="none" stroke="#24292f" stroke-width="1.2"/>""");
        Add($"""<line x1="{Left}" y1="{Y(_plan.PerSecond, bottom)}" x2="{Width - Right}" y2="{Y(_plan.PerSecond, bottom)}" stroke="#cf222e" stroke-dasharray="4 3"/>""");
        Add($"""<line x1="{Left}" y1="{bottom}" x2="{Width - Right}" y2="{bottom}" stroke="#8c959f"/>""");
        var seconds = (int)_plan.Length.TotalSeconds;
        var step = seconds switch { <= 12 => 1, <= 40 => 2, <= 120 => 10, _ => 60 };
        for (var second = 0; second <= seconds; second += step)
        {
            var x = X(second);
            Add($"""<line x1="{x}" y1="{bottom}" x2="{x}" y2="{bottom + 4}" stroke="#8c959f"/><text x="{x}" y="{bottom + 17}" text-anchor="middle" fill="#57606a">{second}</text>""");
        }
    }

    private string Area(IEnumerable<int> counts, int bottom) => Invariant($"{Outline(counts, bottom)}V{bottom}H{Left}Z");

    /// <summary>A line of steps, one for each slot.</summary>
    private string Outline(IEnumerable<int> counts, int bottom)
    {
        var path = new StringBuilder(Invariant($"M{Left},{bottom}"));
        foreach (var (slot, count) in counts.Index())
            path.Append(Invariant($"V{Y(count / LimiterReport.Slot.TotalSeconds, bottom)}H{X((slot + 1) * LimiterReport.Slot.TotalSeconds)}"));
        return path.ToString();
    }

    private double X(double seconds) => Math.Round(Left + (seconds / _plan.Length.TotalSeconds * (Width - Left - Right)), 1);

    private double Y(double perSecond, int bottom) => Math.Round(bottom - (Math.Min(perSecond, _most) / _most * PanelHeight), 1);

    private void Add(FormattableString line) => _svg.Append(Invariant(line)).Append('\n');

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
