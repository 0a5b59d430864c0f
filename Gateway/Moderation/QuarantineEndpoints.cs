using System.Text.Json;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Jobs;
using HeartGrains.Gateway.Operations;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.Jobs;
using HeartGrains.Moderation;

namespace HeartGrains.Gateway.Moderation;

/// <summary>Holds hearts out of the counts, and gives them back or makes that final.</summary>
internal sealed class QuarantineEndpoints(OperatorDoor door, JobDesk jobs, GrainCalls calls)
{
    private const int UserLimit = 1_000;

    // A thousand users of 128 bytes, each byte of them escaped.
    private const int BodyByteLimit = 800 * 1024;
    private const int IdLength = 23;
    private const string Parameter = "?id=";

    /// <summary><c>POST /admin/quarantine</c></summary>
    public async Task HoldAsync(HttpContext context)
    {
        if (await door.ReadAsync(context, ModerationJson.Default.QuarantineBody, Check, BodyByteLimit) is not ({ } body, { } origin)) return;
        var order = new QuarantineOrder(body.TargetId, Micros(body.From), Micros(body.Until), body.UserIds is null ? null : [.. body.UserIds.Distinct().Order(StringComparer.Ordinal)], body.Reason!);
        var arguments = JsonSerializer.Serialize(order, ModerationWorkJson.Default.QuarantineOrder);

        // The same again joins it while it runs.
        var subject = JsonSerializer.Serialize(order with { Reason = "" }, ModerationWorkJson.Default.QuarantineOrder);
        if (await jobs.RunAsync(context, new JobOrder(ModerationJobs.Quarantine, subject, arguments, origin.Actor, origin.Network)) is not { } job) return;
        var progress = job.Progress.Length > 2 ? JsonSerializer.Deserialize(job.Progress, ModerationWorkJson.Default.QuarantineProgress) : null;
        if (job.State == JobState.Failed)
        {
            await context.WriteProblemAsync(Problem.TargetMoved, $"Nothing was done: the target was moved, and its hearts are those of {progress?.MovedTo}. Order it of that.");
            return;
        }

        await JobDesk.AnswerAsync(
            context, job,
            HeartJson.Start().Raw("{\"id\":"u8).Text(job.Id).Raw(",\"state\":"u8).Text(job.State == JobState.Running ? "holding" : "held")
                .Raw(",\"held\":"u8).Number(progress?.Held ?? 0).Raw("}"u8));

        static QuarantineBody Check(QuarantineBody body, Rejection wrong)
        {
            if (body.TargetId is not null && OperatorFields.CheckTarget(body.TargetId) is { } target) wrong.Add("target_id", target);
            var (from, until) = (DateTimeOffset.MinValue, DateTimeOffset.MaxValue);
            if (body.From is not null && !OperatorFields.TryReadMoment(body.From, out from)) wrong.Add("from", "must be a moment as RFC 3339 writes it, such as 2026-01-31T12:00:00Z");
            if (body.Until is not null && !OperatorFields.TryReadMoment(body.Until, out until)) wrong.Add("until", "must be a moment as RFC 3339 writes it, such as 2026-01-31T12:00:00Z");
            else if (from >= until) wrong.Add("until", "must be later than from");
            if (body.UserIds is { Length: 0 or > UserLimit }) wrong.Add("user_ids", "must hold 1 to 1000 users");
            foreach (var (index, user) in (body.UserIds ?? []).Take(UserLimit).Index())
                if (OperatorFields.CheckUser(user) is { } fault) wrong.Add($"user_ids[{index}]", fault);
            if (body is { TargetId: null, From: null, Until: null, UserIds: null }) wrong.Add("body", "must name a target, a time or users: not all hearts there are");
            return body with { Reason = OperatorDoor.Reason(body.Reason, wrong) };
        }
    }

    /// <summary><c>POST /admin/quarantine/release</c> and <c>/rollback</c></summary>
    public async Task EndAsync(HttpContext context, bool isRelease)
    {
        if (await door.ReadAsync(context, ModerationJson.Default.QuarantineEndBody, Check) is not (var (id, reason), { } origin)) return;
        if (await FindAsync(context, id!) is not { } found) return;
        if (found.State is not QuarantineState.Held && found.State != (isRelease ? QuarantineState.Releasing : QuarantineState.RollingBack)
            && found.State != (isRelease ? QuarantineState.Released : QuarantineState.RolledBack))
        {
            await RefuseAsync(context, found.State);
            return;
        }

        var arguments = JsonSerializer.Serialize(new QuarantineEndOrder(id!, reason!), ModerationWorkJson.Default.QuarantineEndOrder);
        if (await jobs.RunAsync(context, new JobOrder(isRelease ? ModerationJobs.Release : ModerationJobs.Rollback, id!, arguments, origin.Actor, origin.Network)) is not { } job) return;
        if (job.State == JobState.Failed)
        {
            // Somebody else was faster, to the other end.
            await RefuseAsync(context, isRelease ? QuarantineState.RolledBack : QuarantineState.Released);
            return;
        }

        var progress = job.Progress.Length > 2 ? JsonSerializer.Deserialize(job.Progress, ModerationWorkJson.Default.QuarantineProgress) : null;
        var state = isRelease
            ? job.State == JobState.Running ? QuarantineState.Releasing : QuarantineState.Released
            : job.State == JobState.Running ? QuarantineState.RollingBack : QuarantineState.RolledBack;
        await JobDesk.AnswerAsync(
            context, job,
            HeartJson.Start().Raw("{\"id\":"u8).Text(id!).Raw(",\"state\":"u8).Text(NameOf(state)).Raw(",\"held\":"u8).Number(progress?.Held ?? 0)
                .Raw(",\"released\":"u8).Number(progress?.Released ?? 0).Raw(",\"skipped\":"u8).Number(progress?.Skipped ?? 0).Raw("}"u8));

        static QuarantineEndBody Check(QuarantineEndBody body, Rejection wrong)
        {
            if (!IsId(body.Id)) wrong.Add("id", "must be the id of a quarantine");
            return body with { Reason = OperatorDoor.Reason(body.Reason, wrong) };
        }
    }

    /// <summary><c>GET /admin/quarantine</c></summary>
    public async Task ReadAsync(HttpContext context)
    {
        if (await door.LetInAsync(context) is null) return;
        var query = context.Request.QueryString.Value ?? "";
        if (!query.StartsWith(Parameter, StringComparison.Ordinal) || !IsId(query[Parameter.Length..]))
        {
            await context.WriteProblemAsync(new Rejection(Problem.InvalidQuery, "See errors for each parameter.").Add("id", "must be given once, alone, and be the id of a quarantine"));
            return;
        }

        if (await FindAsync(context, query[Parameter.Length..]) is not { } found) return;
        await context.Response.WriteAsJsonAsync(
            new QuarantineView(
                found.Id, NameOf(found.State), found.TargetId, OperatorFields.Write(found.FromMicros), OperatorFields.Write(found.UntilMicros), found.Users, found.Reason, found.Actor,
                OperatorFields.Write(found.AtMicros), found.Held, found.Released, found.Skipped),
            ModerationJson.Default.QuarantineView, cancellationToken: context.RequestAborted);
    }

    private async ValueTask<Quarantine?> FindAsync(HttpContext context, string id)
    {
        var read = new QuarantineRead(id) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(read);
        if (status != CallStatus.Answered || read.Outcome != HeartOutcome.Committed)
            await HeartRefusals.ReadFailedAsync(context, status, status == CallStatus.Answered ? read.Outcome : default, read.RetryAfterSeconds);
        else if (read.Value.Quarantine is null)
            await context.WriteProblemAsync(Problem.NotFound, "There is no quarantine of this id.");
        else
            return read.Value.Quarantine;
        return null;
    }

    private static Task RefuseAsync(HttpContext context, QuarantineState state) =>
        context.WriteProblemAsync(Problem.QuarantineState, $"Nothing was done: the quarantine is {NameOf(state)}.");

    private static long? Micros(string? moment) => OperatorFields.TryReadMoment(moment, out var at) ? LogTime.MicrosOf(at) : null;

    private static bool IsId(string? id) => id is { Length: IdLength } && id.AsSpan().ContainsOnlyIdCharacters();

    private static string NameOf(QuarantineState state) => state switch
    {
        QuarantineState.Holding => "holding",
        QuarantineState.Held => "held",
        QuarantineState.Releasing => "releasing",
        QuarantineState.Released => "released",
        QuarantineState.RollingBack => "rolling_back",
        _ => "rolled_back",
    };
}

/// <summary>Looks at a quarantine.</summary>
internal sealed class QuarantineRead(string id) : GrainCall<QuarantineReply>
{
    private IModerationGrain _grain = null!;

    public override GrainPath Path => GrainPath.Desk;

    public override void Address(GrainAddresses addresses) => _grain = addresses.Moderation();

    protected override ValueTask<QuarantineReply> SendAsync(CancellationToken cancellationToken) => _grain.QuarantineAsync(id, cancellationToken);

    protected override HeartOutcome OutcomeOf(in QuarantineReply value) => value.Outcome;
}
