using CsCheck;
using HeartGrains.RateLimiting.Meters;
using Shouldly;

namespace HeartGrains.Tests.RateLimiting.Meters;

/// <summary>A meter's measures and where it starts.</summary>
internal readonly record struct MeterFigures(long Limit, long PeriodTicks, int Segments, long StartsAt, long Available, int Millionths);

internal enum MeterAction
{
    Advance,
    TryTake,
    Hold,
    Spend,
    Release,
    Return,
}

internal enum MeterPause
{
    None,
    AnInstant,
    AToken,
    APeriod,
    AnAge,
    StepBack,
}

/// <summary>One call; <paramref name="Part"/> and <paramref name="Pick"/>, 0 to 1, say how much of what there is, and which.</summary>
internal readonly record struct MeterStep(MeterPause Pause, MeterAction Action, double Part, double Pick);

/// <summary>Random schedules, and the drive of a meter beside its model through one of them.</summary>
internal static class MeterSchedule
{
    private static readonly Gen<MeterPause> Pauses = Gen.Frequency(
        (4, Gen.Const(MeterPause.None)),
        (2, Gen.Const(MeterPause.AnInstant)),
        (4, Gen.Const(MeterPause.AToken)),
        (2, Gen.Const(MeterPause.APeriod)),
        (1, Gen.Const(MeterPause.StepBack)));

    private static readonly Gen<MeterPause> PausesAndAges = Gen.Frequency((20, Pauses), (1, Gen.Const(MeterPause.AnAge)));

    private static readonly Gen<MeterAction> Actions = Gen.Frequency(
        (1, Gen.Const(MeterAction.Advance)),
        (4, Gen.Const(MeterAction.TryTake)),
        (2, Gen.Const(MeterAction.Hold)),
        (2, Gen.Const(MeterAction.Spend)),
        (1, Gen.Const(MeterAction.Release)),
        (3, Gen.Const(MeterAction.Return)));

    public static Gen<MeterFigures> Figures { get; } = Gen.Select(
        Gen.OneOf(Gen.Long[1, 5], Gen.Long[1, 100], Gen.Long[1, QuotaMeter.MaxLimit], Gen.Const(QuotaMeter.MaxLimit)),
        Gen.OneOf(Gen.Long[1, 50], Gen.Long[1, 100_000], Gen.Long[1, QuotaMeter.MaxPeriodTicks]),
        Gen.OneOf(Gen.Int[1, 4], Gen.Int[1, SlidingWindow.MaxSegments]),
        Gen.OneOf(Gen.Const(0L), Gen.Long[long.MinValue, long.MaxValue / 4]),
        Gen.OneOf(Gen.Const(1.0), Gen.Double[0, 1]),
        Gen.Int[0, 999_999],
        (limit, period, segments, startsAt, part, millionths) =>
            new MeterFigures(limit, period, segments, startsAt, (long)(part * limit), millionths));

    public static Gen<MeterStep[]> Steps { get; } =
        Gen.Select(PausesAndAges, Actions, Gen.Double[0, 1], Gen.Double[0, 1], (pause, action, part, pick) => new MeterStep(pause, action, part, pick))
            .Array[1, 80];

    /// <summary>Figures and steps under which a bucket fills slowly over many readings of the clock, with a relapse now and then.</summary>
    public static Gen<(MeterFigures Figures, MeterStep[] Steps)> Drizzle { get; } = Gen.Select(
        Gen.Select(Gen.Long[20, 200], Gen.Long[1_000, 100_000], (limit, period) => new MeterFigures(limit, period, 1, 0, limit, 0)),
        Gen.Select(
            Gen.Frequency((6, Gen.Const(MeterPause.AToken)), (1, Gen.Const(MeterPause.None)), (1, Gen.Const(MeterPause.APeriod))),
            Gen.Frequency((5, Gen.Const(MeterAction.TryTake)), (1, Gen.Const(MeterAction.Return))),
            Gen.Double[0, 0.15],
            Gen.OneOf(Gen.Double[0, 0.3], Gen.Double[0.5, 1]),
            (pause, action, part, pick) => new MeterStep(pause, action, part, pick)).Array[20, 80]);

    /// <summary>Decisions, content and waits are the model's at every step; after so many readings the clock stands still.</summary>
    public static void ShouldAgree(QuotaMeter meter, MeterModel model, MeterFigures figures, IEnumerable<MeterStep> steps, int readings = int.MaxValue)
    {
        foreach (var step in steps)
        {
            var now = Now(model.Clock, step, figures);
            if (now > model.Clock && readings-- <= 0) now = model.Clock;
            model.Advance(now);
            var expected = step.Action != MeterAction.TryTake || Amount(model.Available + 1, step) <= model.Available;
            Do(meter, model, step, now).ShouldBe(expected);
            (meter.Available, meter.AvailableMillionths, meter.Held, meter.Clock)
                .ShouldBe((model.Available, model.AvailableMillionths, model.Held, model.Clock));
            ShouldWaitExactly(meter, Amount(figures.Limit, step));
        }
    }

    /// <summary>There is never more than had what was returned not been spent, and the model's bound is kept.</summary>
    public static void ShouldKeepTheBound(QuotaMeter meter, MeterModel model, MeterFigures figures, IEnumerable<MeterStep> steps)
    {
        foreach (var step in steps)
        {
            var now = Now(model.Clock, step, figures);
            model.Advance(now);
            Do(meter, model, step, now);
            Millionths(meter.Available, meter.AvailableMillionths)
                .ShouldBeInRange(0, Millionths(model.Available, model.AvailableMillionths));
        }

        model.ShouldHaveKeptTheBound();
    }

    /// <summary>Does to both what the step says, and says whether a taking was admitted by the meter; nothing else is refused.</summary>
    private static bool Do(QuotaMeter meter, MeterModel model, MeterStep step, long now)
    {
        if (step.Action == MeterAction.TryTake)
        {
            var wanted = Amount(meter.Clone().AvailableAt(now) + 1, step);
            if (!meter.TryTake(wanted, now)) return false;
            model.Spend(wanted);
            return true;
        }

        meter.Advance(now);
        var tokens = Amount(step.Action == MeterAction.Hold ? meter.Available : meter.Held, step);
        switch (step.Action)
        {
            case MeterAction.Hold:
                meter.Hold(tokens);
                model.Held += tokens;
                break;
            case MeterAction.Spend:
                meter.Spend(tokens);
                model.Held -= tokens;
                model.Spend(tokens);
                break;
            case MeterAction.Release:
                meter.Release(tokens);
                model.Held -= tokens;
                break;
            case MeterAction.Return when model.Spent.Count > 0:
                var index = (int)(step.Pick * (model.Spent.Count - 1));
                var returned = step.Part < 0.5 ? model.Spent[index].Tokens : Amount(model.Spent[index].Tokens, step);
                meter.Return(returned, model.Spent[index].At);
                model.Return(index, returned);
                break;
        }

        return true;
    }

    private static void ShouldWaitExactly(QuotaMeter meter, long tokens)
    {
        var wait = meter.TicksUntil(tokens);
        if (wait == long.MaxValue)
        {
            tokens.ShouldBeGreaterThan(meter.Limit - meter.Held);
            return;
        }

        meter.Clone().AvailableAt(meter.Clock + wait).ShouldBeGreaterThanOrEqualTo(tokens);
        if (wait > 0) meter.Clone().AvailableAt(meter.Clock + wait - 1).ShouldBeLessThan(tokens);
    }

    private static long AvailableAt(this QuotaMeter meter, long now)
    {
        meter.Advance(now);
        return meter.Available;
    }

    private static long Now(long clock, MeterStep step, MeterFigures figures)
    {
        var pause = step.Pause switch
        {
            MeterPause.AnInstant => 1 + (long)(step.Part * 3),
            MeterPause.AToken => (long)(step.Part * 2 * Math.Max(1, figures.PeriodTicks / figures.Limit)),
            MeterPause.APeriod => (long)(step.Part * 1.5 * figures.PeriodTicks),
            MeterPause.AnAge => long.MaxValue / 2,
            MeterPause.StepBack => -(long)(step.Part * figures.PeriodTicks),
            _ => 0,
        };
        return (long)Int128.Clamp((Int128)clock + pause, long.MinValue, long.MaxValue / 2);
    }

    private static Int128 Millionths(long tokens, int millionths) => ((Int128)tokens * 1_000_000) + millionths;

    private static long Amount(long most, MeterStep step) =>
        step.Pick switch
        {
            < 0.3 => Math.Min(1, most),
            < 0.5 => most,
            _ => (long)(step.Part * most),
        };
}
