using System.Buffers.Text;
using System.Globalization;
using System.Text;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Operations;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;
using HeartGrains.Moderation;

namespace HeartGrains.Gateway.Moderation;

/// <summary>Operators' orders about targets and users: each idempotent, each with a reason, each an event of the log.</summary>
internal sealed class ModerationEndpoints(GrainCalls calls, OperatorDoor door, TimeProvider time)
{
    private static readonly TimeSpan LongestBlock = TimeSpan.FromDays(3650);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var endpoints = ActivatorUtilities.CreateInstance<ModerationEndpoints>(services);
        var moves = ActivatorUtilities.CreateInstance<MoveEndpoint>(services);
        var quarantines = ActivatorUtilities.CreateInstance<QuarantineEndpoints>(services);
        Add("/api/v1/admin/targets/freeze", HttpMethods.Post, context => endpoints.FreezeAsync(context, true), ModerationOperations.Freeze);
        Add("/api/v1/admin/targets/unfreeze", HttpMethods.Post, context => endpoints.FreezeAsync(context, false), ModerationOperations.Unfreeze);
        Add("/api/v1/admin/targets/move", HttpMethods.Post, moves.MoveAsync, ModerationOperations.Move);
        Add("/api/v1/admin/users/block", HttpMethods.Post, endpoints.BlockAsync, ModerationOperations.Block);
        Add("/api/v1/admin/users/unblock", HttpMethods.Post, endpoints.UnblockAsync, ModerationOperations.Unblock);
        Add("/api/v1/admin/users/blocks", HttpMethods.Get, endpoints.BlocksAsync, ModerationOperations.Blocks);
        Add("/api/v1/admin/quarantine", HttpMethods.Post, quarantines.HoldAsync, ModerationOperations.Quarantine);
        Add("/api/v1/admin/quarantine", HttpMethods.Get, quarantines.ReadAsync, ModerationOperations.ReadQuarantine);
        Add("/api/v1/admin/quarantine/release", HttpMethods.Post, context => quarantines.EndAsync(context, true), ModerationOperations.Release);
        Add("/api/v1/admin/quarantine/rollback", HttpMethods.Post, context => quarantines.EndAsync(context, false), ModerationOperations.Rollback);

        void Add(string pattern, string method, RequestDelegate handler, Operation operation) => routes.MapOperators(method, pattern, handler, "moderation", operation);
    }

    /// <summary><c>POST /admin/targets/freeze</c> and <c>/unfreeze</c></summary>
    private async Task FreezeAsync(HttpContext context, bool isFrozen)
    {
        if (await door.ReadAsync(context, ModerationJson.Default.FreezeBody, Check) is not (var (target, reason), { } origin)) return;
        var call = new FreezeCall(target!, isFrozen, reason!, origin) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(call);
        if (await IsRefusedAsync(context, call, status, call.Value.Refusal)) return;
        await context.Response.WriteAsJsonAsync(
            new FrozenView(target!, call.Value.IsFrozen, call.Value.MovedTo, call.Value.Changed), ModerationJson.Default.FrozenView, cancellationToken: context.RequestAborted);

        static FreezeBody Check(FreezeBody body, Rejection wrong)
        {
            if (OperatorFields.CheckTarget(body.TargetId) is { } target) wrong.Add("target_id", target);
            return body with { Reason = OperatorDoor.Reason(body.Reason, wrong) };
        }
    }

    /// <summary><c>POST /admin/users/block</c></summary>
    private async Task BlockAsync(HttpContext context)
    {
        if (await door.ReadAsync(context, ModerationJson.Default.BlockBody, Check) is not ({ } body, { } origin)) return;
        OperatorFields.TryReadMoment(body.Until, out var moment);
        await BlockAsync(context, body.UserId!, LogTime.MicrosOf(moment), body.Reason!, origin);

        // Ends with the moment meant, whichever way it was said.
        BlockBody Check(BlockBody body, Rejection wrong)
        {
            if (OperatorFields.CheckUser(body.UserId) is { } user) wrong.Add("user_id", user);
            var now = time.GetUtcNow();
            var until = now;
            if (body.For is null == body.Until is null) wrong.Add("for", "must be given, or until, and not both");
            else if (body.For is not null && OperatorFields.TryReadTime(body.For, LongestBlock, out var lasting) && lasting >= TimeSpan.FromSeconds(1)) until = now + lasting;
            else if (body.For is not null) wrong.Add("for", "must be how long, such as 30m, 12h or 7d, from 1s to 3650d");
            else if (!OperatorFields.TryReadMoment(body.Until, out until) || until <= now || until > now + LongestBlock)
                wrong.Add("until", "must be a moment as RFC 3339 writes it, such as 2031-01-31T12:00:00Z, in the next 3650 days");
            return body with { Until = until.UtcDateTime.ToString("O", CultureInfo.InvariantCulture), Reason = OperatorDoor.Reason(body.Reason, wrong) };
        }
    }

    /// <summary><c>POST /admin/users/unblock</c></summary>
    private async Task UnblockAsync(HttpContext context)
    {
        if (await door.ReadAsync(context, ModerationJson.Default.UnblockBody, Check) is not (var (user, reason), { } origin)) return;
        await BlockAsync(context, user!, 0, reason!, origin);

        static UnblockBody Check(UnblockBody body, Rejection wrong)
        {
            if (OperatorFields.CheckUser(body.UserId) is { } user) wrong.Add("user_id", user);
            return body with { Reason = OperatorDoor.Reason(body.Reason, wrong) };
        }
    }

    private async Task BlockAsync(HttpContext context, string userId, long untilMicros, string reason, HeartOrigin origin)
    {
        var call = new BlockCall(userId, untilMicros, reason, origin) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(call);
        if (await IsRefusedAsync(context, call, status, call.Value.Refusal)) return;
        var until = call.Value.UntilMicros;
        await context.Response.WriteAsJsonAsync(
            new BlockedView(userId, until > 0, until > 0 ? OperatorFields.Write(until) : null, call.Value.Changed),
            ModerationJson.Default.BlockedView, cancellationToken: context.RequestAborted);
    }

    /// <summary><c>GET /admin/users/blocks</c></summary>
    private async Task BlocksAsync(HttpContext context)
    {
        if (await door.LetInAsync(context) is null) return;
        var query = HeartQuery.Parse(context.Request.QueryString.Value ?? "", QueryParameters.None, QueryParameters.Limit | QueryParameters.Cursor);
        if (query.Rejection is { } rejection)
        {
            await context.WriteProblemAsync(rejection);
            return;
        }

        var after = 0L;
        if (query.Value.Cursor is { } cursor && !TryReadCursor(cursor, out after))
        {
            await context.WriteProblemAsync(new Rejection(Problem.InvalidCursor, "Start again without a cursor.").Add("cursor", "must be a next_cursor of this list"));
            return;
        }

        // One more than asked for tells whether there is a next page.
        var call = new BlocksRead(after, query.Value.Limit + 1) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(call);
        if (status != CallStatus.Answered || !call.Value.IsAvailable)
        {
            await HeartRefusals.ReadFailedAsync(context, status, status == CallStatus.Answered ? call.Outcome : default, call.RetryAfterSeconds);
            return;
        }

        var users = call.Value.Users;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.WriteAsJsonAsync(
            new BlocksView(
                [.. users.Take(query.Value.Limit).Select(user =>
                    new BlockView(user.UserId, OperatorFields.Write(user.UntilMicros), OperatorFields.Write(user.SinceMicros), user.Reason, user.Actor))],
                users.Length > query.Value.Limit ? WriteCursor(users[query.Value.Limit - 1].Revision) : null),
            ModerationJson.Default.BlocksView, cancellationToken: context.RequestAborted);
    }

    private static async ValueTask<bool> IsRefusedAsync<T>(HttpContext context, GrainCall<T> call, CallStatus status, RuleRefusal refusal)
    {
        if (status != CallStatus.Answered || call.Outcome != HeartOutcome.Committed)
        {
            await HeartRefusals.WriteFailedAsync(context, status, status == CallStatus.Answered ? call.Outcome : default, call.RetryAfterSeconds);
            return true;
        }

        if (refusal == RuleRefusal.None) return false;
        await RuleRefusals.WriteAsync(context, refusal);
        return true;
    }

    private static string WriteCursor(long revision) => Base64Url.EncodeToString(Encoding.ASCII.GetBytes("b" + revision));

    private static bool TryReadCursor(string cursor, out long revision)
    {
        revision = 0;
        Span<byte> bytes = stackalloc byte[32];
        return cursor.Length <= 40 && Base64Url.IsValid(cursor) && Base64Url.TryDecodeFromChars(cursor, bytes, out var length) && length > 1 && bytes[0] == 'b'
            && long.TryParse(bytes[1..length], NumberStyles.None, CultureInfo.InvariantCulture, out revision);
    }
}

/// <summary>What an operator is told whose order was not carried out.</summary>
internal static class RuleRefusals
{
    public static Task WriteAsync(HttpContext context, RuleRefusal refusal) => refusal switch
    {
        RuleRefusal.MovedElsewhere => context.WriteProblemAsync(Problem.TargetMoved, "Nothing was done: the target was moved to another place already, and is its old name for good."),
        RuleRefusal.Cycle => context.WriteProblemAsync(Problem.MoveCycle, "Nothing was done: the target to move to is an old name of the one to be moved."),
        RuleRefusal.ChainTooLong => context.WriteProblemAsync(Problem.MoveChainTooLong, "Nothing was done: old names may lead through 8 moves at most."),
        _ => context.WriteProblemAsync(Problem.TooManyBlocks, "Nothing was done: 100,000 users are blocked, and there may be no more."),
    };
}
