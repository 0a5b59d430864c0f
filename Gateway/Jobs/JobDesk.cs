using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.Jobs;

namespace HeartGrains.Gateway.Jobs;

/// <summary>
/// How routes run long operations: start or join one, wait for it a little, and answer 200 when it has ended or 202 with the place to look at it. The operation goes on in a silo whoever waits.
/// </summary>
internal sealed class JobDesk(GrainCalls calls, TimeProvider time)
{
    /// <summary>How long a call waits for its operation to end.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(200);

    /// <summary>Starts or joins an operation and waits for its end, a little. Null when it could not be started: the problem is written then.</summary>
    public async Task<JobView?> RunAsync(HttpContext context, JobOrder order)
    {
        var start = new JobStart(order) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(start);
        if (status != CallStatus.Answered || start.Outcome != HeartOutcome.Committed)
        {
            var (outcome, until) = status == CallStatus.Answered ? (start.Outcome, start.Value.UntilMicros) : default;
            await HeartRefusals.WriteFailedAsync(context, status, outcome, start.RetryAfterSeconds, until);
            return null;
        }

        using var wait = LaneWait.Begin(context);
        var started = time.GetTimestamp();
        var job = start.Value.Job!;
        for (var pause = FirstPause; job.State == JobState.Running && time.GetElapsedTime(started) < Patience; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            await Task.Delay(pause, time, context.RequestAborted);
            var read = new JobRead(job.Id) { RequestAborted = context.RequestAborted };

            // It was started: that it cannot be looked at now is no reason to refuse.
            if (await calls.CallAsync(read) != CallStatus.Answered || read.Value.Job is not { } now) break;
            job = now;
        }

        return job;
    }

    /// <summary>Answers an operator with an operation: 200 when it has ended; 202, with <c>Location</c> and <c>Retry-After</c>, while it runs.</summary>
    public static Task AnswerAsync(HttpContext context, JobView job) => AnswerAsync(context, job, Write(job));

    /// <summary>The same with a body of the route's own. Who is no operator may not look where <c>Location</c> points, and is not sent there: the same call again joins the operation.</summary>
    public static Task AnswerAsync(HttpContext context, JobView job, HeartJson body, bool isOperator = true)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (job.State != JobState.Running) return body.SendAsync(context, StatusCodes.Status200OK);
        if (isOperator) context.Response.Headers.Location = "/api/v1/admin/jobs?id=" + job.Id;
        context.Response.Headers.RetryAfter = "1";
        return body.SendAsync(context, StatusCodes.Status202Accepted);
    }

    /// <summary>An operation as JSON.</summary>
    public static HeartJson Write(JobView job)
    {
        var json = HeartJson.Start()
            .Raw("{\"id\":"u8).Text(job.Id)
            .Raw(",\"kind\":"u8).Text(job.Kind)
            .Raw(",\"state\":"u8).Text(NameOf(job.State))
            .Raw(",\"progress\":"u8).Raw(System.Text.Encoding.UTF8.GetBytes(job.Progress))
            .Raw(",\"actor\":"u8).Text(job.Actor);
        return WriteTimes(json, job).Raw("}"u8);
    }

    /// <summary>When it was asked for and when it ended, as two fields.</summary>
    public static HeartJson WriteTimes(HeartJson json, JobView job)
    {
        json.Raw(",\"started\":"u8).Timestamp(job.StartedMicros).Raw(",\"finished\":"u8);
        return job.FinishedMicros is { } finished ? json.Timestamp(finished) : json.Raw("null"u8);
    }

    /// <summary>A state in one word.</summary>
    public static string NameOf(JobState state) => state switch { JobState.Done => "done", JobState.Failed => "failed", _ => "running" };
}
