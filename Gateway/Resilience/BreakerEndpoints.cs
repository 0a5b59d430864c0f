using System.Text.Json;
using System.Text.Json.Serialization;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.OpenApi;
using HeartGrains.Gateway.Operations;
using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.Problems;
using HeartGrains.Hearts;
using HeartGrains.Moderation;
using HeartGrains.Resilience;

namespace HeartGrains.Gateway.Resilience;

/// <summary>Breakers for operators: how those of this gateway and of the silos stand, and a hand on those of the whole cluster.</summary>
internal sealed partial class BreakerEndpoints(
    Breakers breakers, BreakerHandFollower follower, BreakerSilos silos, GrainCalls calls, OperatorDoor door, TimeProvider time, ILogger<BreakerEndpoints> logger)
{
    private const int BodyByteLimit = 8 * 1024;
    private static readonly TimeSpan LongestTime = TimeSpan.FromHours(24);

    // An order is given in need: it is answered soon also while the ledger hangs.
    private static readonly TimeSpan NoteTime = TimeSpan.FromMilliseconds(500);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var endpoints = ActivatorUtilities.CreateInstance<BreakerEndpoints>(services, ActivatorUtilities.CreateInstance<BreakerSilos>(services));
        var times = services.GetRequiredService<GatewayMetrics>().TimesOf("breakers");
        routes.MapMethods("/api/v1/breakers", [HttpMethods.Get, HttpMethods.Head], endpoints.ReadAsync).Describe(BreakerOperations.Read).WithMetadata(times).NeverRefused().WithDisplayName("breakers");
        routes.MapOperators(HttpMethods.Post, "/api/v1/breakers/{name}", endpoints.ForceAsync, "breakers", BreakerOperations.Force);
    }

    /// <summary><c>GET /breakers</c></summary>
    private async Task ReadAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        BreakerView[] own = [.. breakers.All.Select(static breaker => BreakerView.Of(breaker.ToReport()))];
        if (IsHere(Breakers.Ledger))
        {
            await context.Response.WriteAsJsonAsync(new BreakerList(own), BreakerJson.Default.BreakerList, cancellationToken: context.RequestAborted);
            return;
        }

        var told = await silos.ReadAsync().WaitAsync(context.RequestAborted);
        await context.Response.WriteAsJsonAsync(
            new ClusterBreakerList(own, told is null ? null : Array.ConvertAll(told, SiloView.Of)), BreakerJson.Default.ClusterBreakerList, cancellationToken: context.RequestAborted);
    }

    /// <summary><c>POST /breakers/{name}</c></summary>
    private async Task ForceAsync(HttpContext context)
    {
        if (await door.LetInAsync(context) is not { } origin) return;
        var name = (string)context.Request.RouteValues["name"]!;
        if (!Breakers.Names.Contains(name))
        {
            await context.WriteProblemAsync(Problem.NotFound, $"There is no breaker of that name; there are {string.Join(", ", Breakers.Names)}.");
            return;
        }

        var body = await JsonBody.ReadAsync(context.Request, BodyByteLimit, json => Parse(name, json));
        if (body.Rejection is { } rejection)
        {
            await context.WriteProblemAsync(rejection);
            return;
        }

        var (order, reach) = await silos.TellAsync(body.Value, context.RequestAborted);
        var isHere = IsHere(name);
        if (isHere || reach == BreakerReach.Cluster) follower.Follow(order);
        if (isHere || reach != BreakerReach.None) await NoteAsync(context, order, origin);
        if (reach != BreakerReach.Cluster && !isHere)
        {
            await RefuseAsync(context, name, reach);
            return;
        }

        await context.Response.WriteAsJsonAsync(
            new ForcedView(
                name, NameOf(order.Hand), order.Hand == BreakerHand.Auto ? null : time.GetUtcNow().AddMilliseconds(order.RemainingMillis), order.Reason,
                reach switch { BreakerReach.Cluster => "cluster", BreakerReach.None => "this gateway", _ => "this gateway, perhaps the cluster" }),
            BreakerJson.Default.ForcedView, cancellationToken: context.RequestAborted);
    }

    /// <summary>Writes the order into the log, after it is carried out: it may be given because the ledger cannot be reached, and then this process's own log tells by whom.</summary>
    private async Task NoteAsync(HttpContext context, BreakerOrder order, HeartOrigin origin)
    {
        using var patience = new CancellationTokenSource(NoteTime, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, patience.Token);
        var note = new NoteCall(DeskNote.Of("breaker_" + NameOf(order.Hand)) with { Subject = order.Breaker, Reason = order.Reason }, origin) { RequestAborted = either.Token };
        if (await calls.CallAsync(note) != CallStatus.Answered || note.Outcome != HeartOutcome.Committed) Log.NotNoted(logger, order.Breaker, NameOf(order.Hand), origin.Actor, order.Reason);
    }

    private bool IsHere(string name) => breakers.All.Any(breaker => breaker.Name == name);

    private static Task RefuseAsync(HttpContext context, string name, BreakerReach reach) => reach == BreakerReach.None
        ? context.WriteProblemAsync(Problem.Unavailable, $"No silo took the order, and this gateway has no breaker {name}: nothing was done.", retryAfterSeconds: 1)
        : context.WriteProblemAsync(Problem.OutcomeUnknown, $"No silo answered in time, and this gateway has no breaker {name}: the order may be followed, or not. Give it again.");

    private static Parsed<BreakerOrder> Parse(string name, ReadOnlySpan<byte> json)
    {
        ForceBody? body;
        try
        {
            body = JsonSerializer.Deserialize(json, BreakerJson.Default.ForceBody);
        }
        catch (JsonException exception)
        {
            return Refuse(new Rejection(Problem.InvalidJson, "The body is not the JSON object that is wanted.")
                .Add(exception.Path is { Length: > 2 } path ? path[2..] : "body", "must be one JSON object with the fields state, for and reason, each a string given once"));
        }

        var wrong = new Rejection(Problem.InvalidFields, "See errors for each field.");
        BreakerHand? hand = body?.State switch { "forced_open" => BreakerHand.ForcedOpen, "closed" => BreakerHand.ForcedClosed, "auto" => BreakerHand.Auto, _ => null };
        if (hand is null) wrong.Add("state", "must be forced_open, closed or auto");
        var lasting = TimeSpan.Zero;
        if (hand != BreakerHand.Auto && (!OperatorFields.TryReadTime(body?.For, LongestTime, out lasting) || lasting < TimeSpan.FromSeconds(1) || lasting > LongestTime))
            wrong.Add("for", "must be how long, such as 30s, 10m or 2h, from 1s to 24h");
        if (hand == BreakerHand.Auto && body?.For is not null) wrong.Add("for", "must be left out when the state is auto");
        if (OperatorFields.CheckReason(body?.Reason, out var reason) is { } unsaid) wrong.Add("reason", unsaid);
        return wrong.Errors.Count > 0 ? Refuse(wrong) : new(new BreakerOrder(name, hand!.Value, (long)lasting.TotalMilliseconds, reason), null);

        static Parsed<BreakerOrder> Refuse(Rejection rejection) => new(null!, rejection);
    }

    private static string NameOf(BreakerHand hand) => hand switch { BreakerHand.ForcedOpen => "forced_open", BreakerHand.ForcedClosed => "closed", _ => "auto" };

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "The breaker {Breaker} was told {State} by {Actor} because '{Reason}', and the event log has not confirmed that", EventName = "BreakerOrderNotLogged")]
        public static partial void NotNoted(ILogger logger, string breaker, string state, string actor, string reason);
    }
}
