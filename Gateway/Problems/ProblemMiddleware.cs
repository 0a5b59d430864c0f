using HeartGrains.Gateway.Diagnostics;
using Microsoft.AspNetCore.Connections;

namespace HeartGrains.Gateway.Problems;

/// <summary>
/// Turns what would leave the gateway as a bare status or an exception into a problem document. An exception is logged once and
/// never shown.
/// </summary>
internal sealed class ProblemMiddleware(RequestDelegate next, RequestLog log)
{
    private const int ClientClosedRequest = 499;

    public Task InvokeAsync(HttpContext context)
    {
        Task task;
        try
        {
            task = next(context);
        }
        catch (Exception exception)
        {
            return HandleAsync(context, exception);
        }

        return task.IsCompletedSuccessfully ? FillAsync(context) : AwaitAsync(context, task);
    }

    private async Task AwaitAsync(HttpContext context, Task task)
    {
        try
        {
            await task;
        }
        catch (Exception exception)
        {
            await HandleAsync(context, exception);
            return;
        }

        await FillAsync(context);
    }

    private static Task FillAsync(HttpContext context)
    {
        var response = context.Response;
        if (response.StatusCode < 400 || response.ContentLength is not null || response.HasStarted || response.ContentType is not null
            || response.StatusCode == ClientClosedRequest)
        {
            return Task.CompletedTask;
        }

        var problem = Problem.ForStatus(response.StatusCode);
        return context.WriteProblemAsync(problem, problem.Status switch
        {
            404 => "No route of this service has this path.",
            405 => "Use one of the methods named in the Allow header.",
            _ => problem.Title,
        });
    }

    private Task HandleAsync(HttpContext context, Exception exception)
    {
        if (context.RequestAborted.IsCancellationRequested || exception is ConnectionResetException)
        {
            if (!context.Response.HasStarted) context.Response.StatusCode = ClientClosedRequest;

            // Nobody is there: without it Kestrel would read on for the rest of the body, and log that it cannot.
            context.Abort();
            return Task.CompletedTask;
        }

        var refused = exception as BadHttpRequestException;
        if (refused is null) log.Failed(context, exception);
        if (context.Response.HasStarted)
        {
            context.Abort();
            return Task.CompletedTask;
        }

        context.Response.Clear();
        RequestId.Write(context);
        return refused is null
            ? context.WriteProblemAsync(Problem.InternalError, "A defect of the service kept it from answering; it was logged.")
            : context.WriteProblemAsync(Problem.ForStatus(refused.StatusCode), refused.Message);
    }
}

/// <summary>Wires problem documents into a host.</summary>
public static class ProblemHosting
{
    /// <summary>Makes every error leave as a problem document. Goes before everything that can fail.</summary>
    public static IApplicationBuilder UseProblems(this IApplicationBuilder app) => app.UseMiddleware<ProblemMiddleware>();
}
