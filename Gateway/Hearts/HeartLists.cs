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

        return UsersAsync(context, parsed.Value);
    }

    /// <summary>Reads a page of a target's users; null when the caller has been told why there is none.</summary>
    public async ValueTask<UsersPage?> ReadUsersAsync(HttpContext context, string targetId, string? cursor, int limit)
    {
        if (!callers.TryAuthorizeList(context, out var caller))
        {
            await caller.RefuseAsync(context);
            return null;
        }

        var before = long.MaxValue;
        if (cursor is not null && !UserCursor.TryDecode(cursor, targetId, out before))
        {
            await context.WriteProblemAsync(
                new Rejection(Problem.InvalidCursor, "Start again without a cursor.").Add("cursor", "must be a next_cursor of this target"));
            return null;
        }

        // One more than asked for tells whether there is a next page.
        var call = new HeartUsersRead(targetId, before, limit + 1) { RequestAborted = context.RequestAborted };
        if (await IsFailedAsync(context, call)) return null;
        var users = call.Value.Users;
        var next = users.Length > limit ? UserCursor.Encode(targetId, users[limit - 1].Version)
            : call.Value.Floor > 1 ? UserCursor.Encode(targetId, call.Value.Floor)
            : null;
        return new UsersPage(new ArraySegment<HeartUser>(users, 0, Math.Min(limit, users.Length)), next);
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

    private async Task UsersAsync(HttpContext context, HeartQuery query)
    {
        if (await ReadUsersAsync(context, query.TargetId!, query.Cursor, query.Limit) is not { } page) return;
        var json = HeartJson.Start().Raw("{\"target_id\":"u8).Text(query.TargetId!).Raw(",\"users\":["u8);
        var first = true;
        foreach (var user in page.Users)
        {
            if (!first) json.Raw(","u8);
            first = false;
            json.Raw("{\"user_id\":"u8).Text(user.UserId)
                .Raw(",\"id\":"u8).Id(user.Id)
                .Raw(",\"timestamp\":"u8).Timestamp(user.GivenAtMicros).Raw("}"u8);
        }

        json.Raw("],\"next_cursor\":"u8);
        if (page.NextCursor is { } next) json.Text(next);
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

/// <summary>A page of those who love a target.</summary>
/// <param name="Users">Latest first.</param>
/// <param name="NextCursor">Where the next page begins; null when this is the last.</param>
internal readonly record struct UsersPage(ArraySegment<HeartUser> Users, string? NextCursor);
