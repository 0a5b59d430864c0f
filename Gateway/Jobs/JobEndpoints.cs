using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Operations;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Jobs;

/// <summary><c>GET /api/v1/admin/jobs?id=</c>: how a long operation stands.</summary>
internal sealed class JobEndpoints(OperatorDoor door, GrainCalls calls)
{
    private const int IdLength = 23;
    private const string Parameter = "?id=";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var endpoints = ActivatorUtilities.CreateInstance<JobEndpoints>(routes.ServiceProvider);
        routes.MapOperators(HttpMethods.Get, "/api/v1/admin/jobs", endpoints.ReadAsync, "jobs", JobOperations.Read);
    }

    private async Task ReadAsync(HttpContext context)
    {
        if (await door.LetInAsync(context) is null) return;
        var query = context.Request.QueryString.Value ?? "";
        if (!query.StartsWith(Parameter, StringComparison.Ordinal) || query.Length != Parameter.Length + IdLength || !query.AsSpan(Parameter.Length).ContainsOnlyIdCharacters())
        {
            await context.WriteProblemAsync(new Rejection(Problem.InvalidQuery, "See errors for each parameter.").Add("id", "must be given once, alone, and be the id of an operation"));
            return;
        }

        var read = new JobRead(query[Parameter.Length..]) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(read);
        if (status != CallStatus.Answered || read.Outcome != HeartOutcome.Committed)
            await HeartRefusals.ReadFailedAsync(context, status, status == CallStatus.Answered ? read.Outcome : default, read.RetryAfterSeconds);
        else if (read.Value.Job is not { } job)
            await context.WriteProblemAsync(Problem.NotFound, "There is no operation of this id.");
        else
            await JobDesk.Write(job).SendAsync(context, StatusCodes.Status200OK);
    }
}

/// <summary>What ids are made of.</summary>
internal static class JobIds
{
    public static bool ContainsOnlyIdCharacters(this ReadOnlySpan<char> text)
    {
        foreach (var character in text)
            if (!char.IsAsciiLetterOrDigit(character) && character is not ('-' or '_')) return false;
        return true;
    }
}
