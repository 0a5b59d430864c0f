using HdrHistogram;

namespace HeartGrains.LoadTest.Limiters;

/// <summary>What a limiter did with a load, beside what the ideal would have done with the same requests at the same moments.</summary>
public sealed class LimiterReport
{
    /// <summary>The precision: counts are of slots this long.</summary>
    public static readonly TimeSpan Slot = TimeSpan.FromMilliseconds(100);

    private const long LatencyLimitMicros = 60_000_000;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly Judged[] _judged;
    private readonly LongHistogram _decisions = new(1, LatencyLimitMicros, 3);
    private readonly LongHistogram _lateness = new(1, LatencyLimitMicros, 3);

    /// <summary>Measures the calls of a plan.</summary>
    public LimiterReport(LimiterCase limiterCase, LoadPlan plan, IReadOnlyList<QuotaCall> calls, double bytesPerUser)
    {
        (Case, Plan, BytesPerUser) = (limiterCase, plan, bytesPerUser);
        var ideal = IdealLimiter.Of(limiterCase.Policy);
        _judged = [.. calls.Where(call => call.IsJudged).OrderBy(call => call.Sent).Select(call => new Judged(call, ideal.TryAdmit(call.Sent)))];
        NotJudged = calls.Count - _judged.Length;
        WorstSecond = MostIn(Second, _judged.Where(judged => judged.Call.IsAdmitted).Select(judged => judged.Call));
        foreach (var call in calls)
        {
            Record(_lateness, call.Sent - call.Due);
            if (call.IsJudged) Record(_decisions, call.Answered - call.Sent);
        }
    }

    /// <summary>The limiter.</summary>
    public LimiterCase Case { get; }

    /// <summary>The load.</summary>
    public LoadPlan Plan { get; }

    /// <summary>Bytes of state for one user.</summary>
    public double BytesPerUser { get; }

    /// <summary>Calls without a decision: 503, another status, or no answer.</summary>
    public int NotJudged { get; }

    /// <summary>
    /// Most admissions in any second, of those that certainly happened within it: sent and answered there. What the algorithm promises bounds this,
    /// however late requests and answers travel.
    /// </summary>
    public int WorstSecond { get; }

    /// <summary>The algorithm has kept its promise.</summary>
    public bool IsKept => WorstSecond <= Case.PromisedPerSecond;

    /// <summary>Admitted in the even step, a second.</summary>
    public double AdmittedPerSecond => Sum(LoadStepKind.Even, judged => judged.Call.IsAdmitted) / Plan.Steps.Where(step => step.Kind == LoadStepKind.Even).Sum(step => step.Length.TotalSeconds);

    /// <summary>Admitted in all steps of some kind, over what the ideal admits: below 1 too few, above 1 too many.</summary>
    public double AgainstIdeal(params LoadStepKind[] kinds) =>
        kinds.Sum(kind => Sum(kind, judged => judged.Call.IsAdmitted)) / Math.Max(1.0, kinds.Sum(kind => Sum(kind, judged => judged.Ideal)));

    /// <summary>Admitted in the length of a burst, over what the limit's rate alone would admit in it; the mean of the bursts of this kind.</summary>
    public double Tolerance(LoadStepKind kind) => Times(kind, judged => judged.Call.IsAdmitted);

    /// <summary>The same of the ideal.</summary>
    public double IdealTolerance(LoadStepKind kind) => Times(kind, judged => judged.Ideal);

    /// <summary>A percentile of the time from sending to the answer.</summary>
    public TimeSpan Decision(double percentile) => At(_decisions, percentile);

    /// <summary>A percentile of how late calls were sent.</summary>
    public TimeSpan Lateness(double percentile) => At(_lateness, percentile);

    /// <summary>Counts in each slot, by when they were sent.</summary>
    public (int Asked, int Admitted, int Ideal)[] Slots()
    {
        var slots = new (int Asked, int Admitted, int Ideal)[(int)Math.Ceiling(Plan.Length / Slot)];
        foreach (var (call, ideal) in _judged)
        {
            var slot = (int)(call.Sent / Slot);
            if (slot >= slots.Length) continue;
            slots[slot].Asked++;
            if (call.IsAdmitted) slots[slot].Admitted++;
            if (ideal) slots[slot].Ideal++;
        }

        return slots;
    }

    /// <summary>The most calls that are whole within any span of some length.</summary>
    internal static int MostIn(TimeSpan length, IEnumerable<QuotaCall> calls)
    {
        var bySent = calls.OrderBy(call => call.Sent).ToArray();
        var most = 0;
        for (var first = 0; first < bySent.Length; first++)
        {
            var (count, end) = (0, bySent[first].Sent + length);
            for (var i = first; i < bySent.Length && bySent[i].Sent <= end; i++)
                if (bySent[i].Answered <= end) count++;
            most = Math.Max(most, count);
        }

        return most;
    }

    private int Sum(LoadStepKind kind, Func<Judged, bool> counts) => Plan.Steps
        .Where(step => step.Kind == kind)
        .Sum(step => _judged.Count(judged => step.Holds(judged.Call.Sent) && counts(judged)));

    private double Times(LoadStepKind kind, Func<Judged, bool> counts)
    {
        var length = Plan.Steps.Where(step => step.Kind == kind).Sum(step => step.Length.TotalSeconds);
        return length == 0 ? 0 : Sum(kind, counts) / (length * Plan.PerSecond);
    }

    private static void Record(LongHistogram histogram, TimeSpan time) =>
        histogram.RecordValue(Math.Clamp((long)time.TotalMicroseconds, 1, LatencyLimitMicros));

    private static TimeSpan At(LongHistogram histogram, double percentile) =>
        histogram.TotalCount == 0 ? TimeSpan.Zero : TimeSpan.FromMicroseconds(histogram.GetValueAtPercentile(percentile));

    private readonly record struct Judged(QuotaCall Call, bool Ideal);
}
