namespace HeartGrains.LoadTest.Limiters;

/// <summary>What a step of the load shows.</summary>
public enum LoadStepKind
{
    /// <summary>As many requests as the limit allows, evenly.</summary>
    Even,

    /// <summary>Time to recover.</summary>
    Rest,

    /// <summary>A burst on top of half the load the limit allows.</summary>
    BusyBurst,

    /// <summary>A burst after nothing.</summary>
    QuietBurst,
}

/// <summary>Some time at a steady rate.</summary>
/// <param name="Kind">What it shows.</param>
/// <param name="Start">When it starts, from the start of the load.</param>
/// <param name="Length">How long it takes.</param>
/// <param name="PerSecond">Requests a second.</param>
public sealed record LoadStep(LoadStepKind Kind, TimeSpan Start, TimeSpan Length, double PerSecond)
{
    /// <summary>When the next step starts.</summary>
    public TimeSpan End => Start + Length;

    /// <summary>Whether a moment is within it.</summary>
    public bool Holds(TimeSpan at) => at >= Start && at < End;
}

/// <summary>When each request is due, whatever became of those before it.</summary>
public sealed class LoadPlan
{
    /// <summary>How many times the limit a burst is.</summary>
    public const int BurstFactor = 4;

    /// <summary>How long a burst is.</summary>
    public static readonly TimeSpan BurstLength = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan BusyRest = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan QuietRest = TimeSpan.FromSeconds(2);
    private readonly List<LoadStep> _steps = [];
    private readonly List<TimeSpan> _due = [];

    private LoadPlan(int perSecond) => PerSecond = perSecond;

    /// <summary>The limit under test, requests a second.</summary>
    public int PerSecond { get; }

    /// <summary>The steps, in order and without gaps.</summary>
    public IReadOnlyList<LoadStep> Steps => _steps;

    /// <summary>When each request is due, from the start of the load; ascending.</summary>
    public IReadOnlyList<TimeSpan> Due => _due;

    /// <summary>The whole load.</summary>
    public TimeSpan Length => _steps.Count == 0 ? TimeSpan.Zero : _steps[^1].End;

    /// <summary>Evenly at the limit, then bursts on top of half of it, then bursts after nothing.</summary>
    /// <param name="perSecond">The limit.</param>
    /// <param name="even">How long evenly.</param>
    /// <param name="bursts">How many bursts of each kind.</param>
    public static LoadPlan Create(int perSecond, TimeSpan even, int bursts)
    {
        var plan = Steady(perSecond, even);
        for (var i = 0; i < bursts; i++)
        {
            plan.Add(LoadStepKind.Rest, BusyRest, perSecond / 2.0);
            plan.Add(LoadStepKind.BusyBurst, BurstLength, perSecond * BurstFactor);
        }

        for (var i = 0; i < bursts; i++)
        {
            plan.Add(LoadStepKind.Rest, QuietRest, 0);
            plan.Add(LoadStepKind.QuietBurst, BurstLength, perSecond * BurstFactor);
        }

        plan.Add(LoadStepKind.Rest, BurstLength, 0);
        return plan;
    }

    /// <summary>Only evenly at the limit.</summary>
    public static LoadPlan Steady(int perSecond, TimeSpan length)
    {
        var plan = new LoadPlan(perSecond);
        plan.Add(LoadStepKind.Even, length, perSecond);
        return plan;
    }

    private void Add(LoadStepKind kind, TimeSpan length, double perSecond)
    {
        var step = new LoadStep(kind, Length, length, perSecond);
        _steps.Add(step);
        var count = (int)Math.Round(length.TotalSeconds * perSecond);
        for (var i = 0; i < count; i++) _due.Add(step.Start + (length * (i / (double)count)));
    }
}
