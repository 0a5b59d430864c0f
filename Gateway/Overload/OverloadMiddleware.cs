using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Grpc;
using HeartGrains.Gateway.Problems;

namespace HeartGrains.Gateway.Overload;

/// <summary>An endpoint that is never refused and not measured: for operators, and for answers that last, such as streams.</summary>
internal sealed class NeverRefused
{
    public static readonly NeverRefused Instance = new();
}

/// <summary>Refuses calls of the API that could not be answered in time, before anything of them is looked at but the head.</summary>
internal sealed class OverloadMiddleware(RequestDelegate next, OverloadGuard guard, TimeProvider timeProvider, AnswerStatus? statusOf = null)
{
    private static readonly PathString Api = new("/api");

    // Spread, so that those refused in one second do not all come back in another.
    private static readonly string[] RetryAfterSeconds = ["1", "2", "3"];

    private readonly RenderedProblem _problem = new(
        Problem.TemporaryReducedCapacity, "The service takes fewer calls than it gets, to answer those it takes in time. Nothing was done. Call again after Retry-After.");

    private uint _refusals;

    public Task InvokeAsync(HttpContext context)
    {
        if (!Judges(context)) return next(context);
        var lane = guard.LaneOf(context.Request);
        return lane.TryEnter() ? RunAsync(context, lane) : RefuseAsync(context);
    }

    /// <summary>Whether a call is admitted here, into a lane.</summary>
    public static bool Judges(HttpContext context) =>
        (context.Request.Path.StartsWithSegments(Api, StringComparison.OrdinalIgnoreCase) || GrpcRoutes.IsHearts(context.Request.Path))
        && context.GetEndpoint()?.Metadata.GetMetadata<NeverRefused>() is null;

    private Task RunAsync(HttpContext context, AdmissionLane lane)
    {
        var start = timeProvider.GetTimestamp();
        Task task;
        try
        {
            task = next(context);
        }
        catch
        {
            lane.Leave(timeProvider.GetElapsedTime(start), isServed: false);
            throw;
        }

        if (!task.IsCompletedSuccessfully) return AwaitAsync(context, lane, task, start);
        lane.Leave(timeProvider.GetElapsedTime(start), IsServed(context));
        return task;
    }

    private async Task AwaitAsync(HttpContext context, AdmissionLane lane, Task task, long start)
    {
        var isServed = false;
        try
        {
            await task;
            isServed = IsServed(context);
        }
        finally
        {
            lane.Leave(timeProvider.GetElapsedTime(start) - LaneWait.Of(context), isServed);
        }
    }

    private Task RefuseAsync(HttpContext context)
    {
        context.Response.Headers.RetryAfter = RetryAfterSeconds[Interlocked.Increment(ref _refusals) % RetryAfterSeconds.Length];
        return _problem.WriteAsync(context);
    }

    /// <summary>Success. What the client got wrong and what is refused further in take no time, and an outage is told as what it is.</summary>
    private bool IsServed(HttpContext context) => (statusOf is null ? context.Response.StatusCode : statusOf(context)) < StatusCodes.Status400BadRequest;
}
