using HeartGrains.Audit;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Jobs;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Operations;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.Jobs;

namespace HeartGrains.Gateway.Audit;

/// <summary>Holds grains, tables, log and chain against each other for operators, and mends what can be mended.</summary>
internal sealed class VerifyEndpoints(GrainCalls calls, OperatorDoor door, JobDesk jobs)
{
    public const int BodyByteLimit = 8 * 1024;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var endpoints = ActivatorUtilities.CreateInstance<VerifyEndpoints>(routes.ServiceProvider);
        routes.MapOperators(HttpMethods.Post, "/api/v1/admin/verify", endpoints.VerifyAsync, "verify", AuditOperations.Verify);
    }

    /// <summary><c>POST /admin/verify</c></summary>
    private async Task VerifyAsync(HttpContext context)
    {
        if (await door.LetInAsync(context) is not { } origin) return;
        var body = await JsonBody.ReadAsync(context.Request, BodyByteLimit, VerifyBody.Parse);
        if (body.Rejection is { } rejection)
        {
            await context.WriteProblemAsync(rejection);
            return;
        }

        await (body.Value.TargetId is { } targetId ? TargetAsync(context, targetId, body.Value.Repair ?? false, origin) : EverythingAsync(context, body.Value, origin));
    }

    private async Task TargetAsync(HttpContext context, string targetId, bool repair, HeartOrigin origin)
    {
        var call = new TargetVerification(targetId, repair, origin) { RequestAborted = context.RequestAborted };
        if (await IsFailedAsync(context, call)) return;
        if (call.Value.Report is not { } report)
        {
            // It goes on; the same call joins it.
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            context.Response.Headers.RetryAfter = "1";
            await WriteAsync(context, new VerifiedTargetView(targetId, "running", null, null, null, null, null, null, null));
            return;
        }

        await WriteAsync(context, new VerifiedTargetView(
            targetId, "finished", report.Left.Length == 0, report.Version, report.Count, Array.ConvertAll(report.Findings, FindingView.Of), report.IsRepaired,
            report.IsRepaired ? Array.ConvertAll(report.Left, FindingView.Of) : null, SealView.Of(call.Value.Head)));

        static Task WriteAsync(HttpContext context, VerifiedTargetView view) => context.Response.WriteAsJsonAsync(view, VerifyJson.Default.VerifiedTargetView, cancellationToken: context.RequestAborted);
    }

    /// <summary>Of one and the same comparison only one runs: who asks for it again joins it.</summary>
    private async Task EverythingAsync(HttpContext context, VerifyBody body, HeartOrigin origin)
    {
        var arguments = body.ToArguments();
        if (await jobs.RunAsync(context, new JobOrder(VerifyJob.Kind, arguments, arguments, origin.Actor, origin.Network)) is { } job) await JobDesk.AnswerAsync(context, job);
    }

    private async ValueTask<bool> IsFailedAsync<T>(HttpContext context, AuditCall<T> call)
    {
        var status = await calls.CallAsync(call);
        if (status == CallStatus.Answered && call.Outcome == HeartOutcome.Committed) return false;
        await HeartRefusals.ReadFailedAsync(context, status, status == CallStatus.Answered ? call.Outcome : default, call.RetryAfterSeconds);
        return true;
    }
}
