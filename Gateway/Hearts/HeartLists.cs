using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Hearts;

/// <summary>Lists: who loves a target, and which targets are loved most.</summary>
internal sealed class HeartLists(GrainCalls calls, Callers callers)
{
    /// <summary><c>GET /hearts/users</c></summary>
    public Task UsersAsync(HttpContext context)
    {
        var parsed = HeartQuery.Parse(
            context.Request.QueryString.Value ?? "", QueryParameters.TargetId, QueryParameters.Limit | QueryParameters.Cursor);
        if (parsed.Rejection is { } rejection) return context.WriteProblemAsync(rejection);

        if (!callers.TryAuthorizeList(context, out var caller)) return caller.RefuseAsync(context);
        var query = parsed.Value;
        var before = long.MaxValue;
        if (query.Cursor is { } cursor && !UserCursor.TryDecode(cursor, query.TargetId!, out before))
        {
            return context.WriteProblemAsync(
                new Rejection(Problem.InvalidCursor, "Start again without a cursor.").Add("cursor", "must be a next_cursor of this target"));
        }

        return UsersAsync(context, query.TargetId!, before, query.Limit);
    }

    /// <summary><c>GET /hearts/top</c></summary>
    public async Task TopAsync(HttpContext context)
    {
        var parsed = HeartQuery.Parse(context.Request.QueryString.Value ?? "", QueryParameters.None, QueryParameters.Limit);
        if (parsed.Rejection is { } rejection)
        {
            await context.WriteProblemAsync(rejection);
            return;
        }

        var call = new HeartTopRead(parsed.Value.Limit) { RequestAborted = context.RequestAborted };
        if (await IsFailedAsync(context, call)) return;

        var json = HeartJson.Start().Raw("{\"targets\":["u8);
        var first = true;
        foreach (var target in call.Value.Targets)
        {
            if (!first) json.Raw(","u8);
            first = false;
            json.Raw("{\"target_id\":"u8).Text(target.TargetId)
                .Raw(",\"count\":"u8).Number(target.Count)
                .Raw(",\"version\":"u8).Number(target.Version).Raw("}"u8);
        }

        await json.Raw("]}"u8).SendAsync(context, StatusCodes.Status200OK);
    }

    private async Task UsersAsync(HttpContext context, string targetId, long before, int limit)
    {
        // One more than asked for tells whether there is a next page.
        var call = new HeartUsersRead(targetId, before, limit + 1) { RequestAborted = context.RequestAborted };
        if (await IsFailedAsync(context, call)) return;

        var users = call.Value.Users;
        var shown = Math.Min(limit, users.Length);
        var json = HeartJson.Start().Raw("{\"target_id\":"u8).Text(targetId).Raw(",\"users\":["u8);
        for (var index = 0; index < shown; index++)
        {
            if (index > 0) json.Raw(","u8);
            json.Raw("{\"user_id\":"u8).Text(users[index].UserId)
                .Raw(",\"id\":"u8).Id(users[index].Id)
                .Raw(",\"timestamp\":"u8).Timestamp(users[index].GivenAtMicros).Raw("}"u8);
        }

        json.Raw("],\"next_cursor\":"u8);
        if (users.Length > limit) json.Text(UserCursor.Encode(targetId, users[limit - 1].Version));
        else if (call.Value.Floor > 1) json.Text(UserCursor.Encode(targetId, call.Value.Floor));
        else json.Raw("null"u8);
        await json.Raw("}"u8).SendAsync(context, StatusCodes.Status200OK);
    }

    private async ValueTask<bool> IsFailedAsync<T>(HttpContext context, GrainCall<T> call)
    {
        context.Response.Headers.CacheControl = "no-cache";
        var status = await calls.CallAsync(call);
        if (status == CallStatus.Answered && call.Outcome == HeartOutcome.Committed) return false;
        await HeartRefusals.ReadFailedAsync(
            context, status, status == CallStatus.Answered ? call.Outcome : default, call.RetryAfterSeconds);
        return true;
    }
}
