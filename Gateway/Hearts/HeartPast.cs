using HeartGrains.Gateway.Audit;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Hearts;

/// <summary>Counts at a past time, by the log: <c>GET /hearts?as_of=</c>. It reads much of a target's log, so it is for who may read lists.</summary>
internal sealed class HeartPast(GrainCalls calls, Callers callers, TimeProvider time)
{
    // Clocks differ.
    private static readonly TimeSpan Future = TimeSpan.FromMinutes(1);

    public async Task ReadAsync(HttpContext context, string targetId, string? userId, DateTimeOffset asOf)
    {
        if (!callers.TryAuthorizeList(context, out var caller))
        {
            await caller.RefuseAsync(context);
            return;
        }

        var wrong = new Rejection(Problem.InvalidQuery, "See errors for each parameter.");
        if (userId is not null) wrong.Add("user_id", "does not go together with as_of");
        if (asOf > time.GetUtcNow() + Future) wrong.Add("as_of", "must not be in the future");
        if (wrong.Errors.Count > 0)
        {
            await context.WriteProblemAsync(wrong);
            return;
        }

        context.Response.Headers.CacheControl = "no-store";
        var micros = LogTime.MicrosOf(asOf);
        var call = new AsOfRead(targetId, micros) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(call);
        if (status != CallStatus.Answered || call.Outcome != HeartOutcome.Committed)
        {
            await HeartRefusals.ReadFailedAsync(context, status, status == CallStatus.Answered ? call.Outcome : default, call.RetryAfterSeconds);
            return;
        }

        var json = HeartJson.Start()
            .Raw("{\"target_id\":"u8).Text(targetId)
            .Raw(",\"count\":"u8).Number(call.Value.Count)
            .Raw(",\"version\":"u8).Number(call.Value.Version);
        if (call.Value.Opening > 0) json.Raw(",\"opening\":"u8).Number(call.Value.Opening);
        await json.Raw(",\"as_of\":"u8).Timestamp(micros).Raw("}"u8).SendAsync(context, StatusCodes.Status200OK);
    }
}
