using System.Text.Json;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Jobs;
using HeartGrains.Gateway.Operations;
using HeartGrains.Gateway.Problems;
using HeartGrains.Jobs;
using HeartGrains.Moderation;

namespace HeartGrains.Gateway.Moderation;

/// <summary>Renames a target, or merges it into another.</summary>
internal sealed class MoveEndpoint(OperatorDoor door, JobDesk jobs)
{
    /// <summary><c>POST /admin/targets/move</c></summary>
    public async Task MoveAsync(HttpContext context)
    {
        if (await door.ReadAsync(context, ModerationJson.Default.MoveBody, Check) is not (var (from, to, reason), { } origin)) return;
        var arguments = JsonSerializer.Serialize(new MoveOrder(from!, to!, reason!), ModerationWorkJson.Default.MoveOrder);

        // The same again joins it while it runs; one that leads elsewhere does not, and is refused by the target.
        if (await jobs.RunAsync(context, new JobOrder(ModerationJobs.Move, $"{from}\n{to}", arguments, origin.Actor, origin.Network)) is not { } job) return;
        var progress = job.Progress.Length > 2 ? JsonSerializer.Deserialize(job.Progress, ModerationWorkJson.Default.MoveProgress) : null;
        if (job.State == JobState.Failed)
        {
            await RuleRefusals.WriteAsync(context, progress?.Refusal ?? RuleRefusal.MovedElsewhere);
            return;
        }

        var json = HeartJson.Start().Raw("{\"id\":"u8).Text(job.Id).Raw(",\"state\":"u8).Text(JobDesk.NameOf(job.State)).Raw(",\"from\":"u8).Text(from!).Raw(",\"to\":"u8);
        if (progress?.To is { } reached) json.Text(reached);
        else json.Raw("null"u8);
        await JobDesk.AnswerAsync(context, job, json.Raw(",\"moved\":"u8).Number(progress?.Moved ?? 0).Raw("}"u8));

        static MoveBody Check(MoveBody body, Rejection wrong)
        {
            if (OperatorFields.CheckTarget(body.From) is { } from) wrong.Add("from", from);
            if (OperatorFields.CheckTarget(body.To) is { } to) wrong.Add("to", to);
            else if (body.To == body.From) wrong.Add("to", "must be another target than from");
            return body with { Reason = OperatorDoor.Reason(body.Reason, wrong) };
        }
    }
}
