using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Moderation;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Operations;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.RateLimiting;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.Moderation;
using HeartGrains.Resilience;

namespace HeartGrains.Gateway.Explain;

/// <summary>
/// What a support engineer asks of a user and a target: is there a heart, since when and by which event, what stands in its way, and where things are. Each part is asked for by itself, so that one that
/// does not answer costs its own part alone.
/// </summary>
internal sealed class ExplainEndpoint(GrainCalls calls, OperatorDoor door, Quota quota, QuotaDesk desk, Breakers breakers, TimeProvider time)
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var endpoint = ActivatorUtilities.CreateInstance<ExplainEndpoint>(routes.ServiceProvider);
        routes.MapOperators(HttpMethods.Get, "/api/v1/explain", endpoint.ExplainAsync, "explain", ModerationOperations.Explain);
    }

    private async Task ExplainAsync(HttpContext context)
    {
        if (await door.LetInAsync(context) is null) return;
        var query = HeartQuery.Parse(context.Request.QueryString.Value ?? "", QueryParameters.TargetId | QueryParameters.UserId);
        if (query.Rejection is { } rejection)
        {
            await context.WriteProblemAsync(rejection);
            return;
        }

        var view = await ComposeAsync(query.Value.TargetId!, query.Value.UserId!, context.RequestAborted);
        await context.Response.WriteAsJsonAsync(view, ModerationJson.Default.ExplainView, cancellationToken: context.RequestAborted);
    }

    private async Task<ExplainView> ComposeAsync(string targetId, string userId, CancellationToken aborted)
    {
        var reading = AskAsync(new ReportRead(targetId, userId) { RequestAborted = aborted });
        var pairing = AskAsync(new PairRead(targetId, userId) { RequestAborted = aborted });
        var standing = QuotasAsync(targetId, userId, aborted);
        var (report, pair, quotas) = (await reading, await pairing, await standing);

        // What is not read yet is said in the activation's name, and what the ledger does not tell is not known.
        var told = report is { Outcome: HeartOutcome.Committed } ? report : null;
        var events = pair is { IsAvailable: true } ? Array.ConvertAll(pair.Events, ViewOf) : null;
        var unknown = new List<string>();
        if (told is null) unknown.Add("target");
        if (events is null) unknown.AddRange(["events", "ledger"]);
        if (quotas is null) unknown.Add("quotas");
        if (report is null) unknown.AddRange(["user", "grain"]);
        if (told?.Hearted is null) unknown.Add("heart");
        var given = told?.Hearted is true ? events?.FirstOrDefault(static happened => happened.Kind == "given") : null;
        return new ExplainView(
            targetId,
            userId,
            told?.Hearted is null && events is null ? null : new HeartView(told?.Hearted, given?.At, given, pair?.QuarantineId),
            told is null ? null : new TargetView(told.Count, told.Version, told.Opening, told.IsFrozen, told.MovedTo, told.RuleReason, told.RuleSinceMicros > 0 ? OperatorFields.Write(told.RuleSinceMicros) : null),
            report is null ? null : new UserView(report.BlockedUntilMicros > 0, report.BlockedUntilMicros > 0 ? OperatorFields.Write(report.BlockedUntilMicros) : null),
            events,
            quotas,
            report is null ? null : new GrainView(report.Silo, report.Address, report.Activation, Array.ConvertAll(report.Breakers, static breaker => BreakerView.Of(breaker))),
            [.. breakers.All.Select(static breaker => BreakerView.Of(breaker.ToReport()))],
            events is null ? null : new LedgerView(Lag(pair!.OldestUnfoldedMicros)),
            [.. unknown]);
    }

    private async Task<T?> AskAsync<T>(GrainCall<T> call)
        where T : class => await calls.CallAsync(call) == CallStatus.Answered ? call.Value : null;

    private async Task<QuotaView[]?> QuotasAsync(string targetId, string userId, CancellationToken aborted)
    {
        if (!quota.IsReady) return null;
        var standings = await desk.ReadAsync(new QuotaKeys(userId, null, targetId), aborted);
        return standings.Any(static standing => !standing.IsKnown)
            ? null
            : [.. standings.Select(static standing => new QuotaView(
                standing.Policy.Policy.Name, standing.Policy.Policy.Dimension.ToString().ToLowerInvariant(), standing.Policy.Policy.Limit, standing.Remaining,
                QuotaHeaders.Seconds(standing.ResetMillis), standing.Policy.Policy.IsShadow))];
    }

    private double Lag(long? oldestMicros) => oldestMicros is { } at ? Math.Max(0, Math.Round((time.NowMicros() - at) / 1e6, 3)) : 0;

    private static EventView ViewOf(PairEvent told) => new(
        told.Id, told.Kind, OperatorFields.Write(told.AtMicros), told.Version, told.Actor, told.Cause.ToString().ToLowerInvariant(), told.Job, told.Reason);
}
