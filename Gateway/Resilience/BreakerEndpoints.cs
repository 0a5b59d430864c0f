using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Operations;
using HeartGrains.Gateway.Overload;
using HeartGrains.Gateway.Problems;
using HeartGrains.Resilience;

namespace HeartGrains.Gateway.Resilience;

/// <summary>Breakers for operators: how those of this gateway stand, and a hand on those of the whole cluster.</summary>
internal sealed class BreakerEndpoints(Breakers breakers, BreakerHandFollower follower, IGrainFactory grains, OperatorKey operatorKey, TimeProvider time)
{
    private const int BodyByteLimit = 8 * 1024;
    private const int ReasonLimit = 200;
    private static readonly TimeSpan LongestTime = TimeSpan.FromHours(24);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var endpoints = ActivatorUtilities.CreateInstance<BreakerEndpoints>(routes.ServiceProvider);
        var times = routes.ServiceProvider.GetRequiredService<GatewayMetrics>().TimesOf("breakers");
        routes.MapMethods("/api/v1/breakers", [HttpMethods.Get, HttpMethods.Head], endpoints.ReadAsync).WithMetadata(times, NeverRefused.Instance);
        routes.MapMethods("/api/v1/breakers/{name}", [HttpMethods.Post], endpoints.ForceAsync).WithMetadata(times, NeverRefused.Instance);
    }

    /// <summary><c>GET /breakers</c></summary>
    private Task ReadAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.WriteAsJsonAsync(
            new BreakerList([.. breakers.All.Select(BreakerView.Of)]), BreakerJson.Default.BreakerList, cancellationToken: context.RequestAborted);
    }

    /// <summary><c>POST /breakers/{name}</c></summary>
    private async Task ForceAsync(HttpContext context)
    {
        if (!operatorKey.IsSentBy(context))
        {
            await operatorKey.RefuseAsync(context);
            return;
        }

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

        var (order, reachesAll) = await TellAllAsync(body.Value, context.RequestAborted);
        follower.Follow(order);
        await context.Response.WriteAsJsonAsync(
            new ForcedView(name, NameOf(order.Hand), order.Hand == BreakerHand.Auto ? null : time.GetUtcNow().AddMilliseconds(order.RemainingMillis), order.Reason, reachesAll ? "cluster" : "this gateway"),
            BreakerJson.Default.ForcedView, cancellationToken: context.RequestAborted);
    }

    private async Task<(BreakerOrder Order, bool ReachesAll)> TellAllAsync(BreakerOrder order, CancellationToken cancellationToken)
    {
        // A grain that another activation has overtaken fails once and is loaded anew.
        for (var attempt = 0; attempt < 2; attempt++)
        {
            try
            {
                var revision = await grains.GetGrain<IBreakerHandGrain>(0).SetAsync(order, cancellationToken).AsTask().WaitAsync(Patience, time, cancellationToken);
                return (order with { Revision = revision }, true);
            }
            catch (Exception) when (!cancellationToken.IsCancellationRequested)
            {
            }
        }

        return (order, false);
    }

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
        if (hand != BreakerHand.Auto && (!TryParseTime(body?.For, out lasting) || lasting < TimeSpan.FromSeconds(1) || lasting > LongestTime))
            wrong.Add("for", "must be how long, such as 30s, 10m or 2h, from 1s to 24h");
        if (hand == BreakerHand.Auto && body?.For is not null) wrong.Add("for", "must be left out when the state is auto");
        if (body?.Reason is not { } reason || reason.Trim().Length is 0 or > ReasonLimit || reason.Any(char.IsControl))
            return Refuse(wrong.Add("reason", $"must say why, in 1 to {ReasonLimit} characters"));
        return wrong.Errors.Count > 0 ? Refuse(wrong) : new(new BreakerOrder(name, hand!.Value, (long)lasting.TotalMilliseconds, reason.Trim()), null);

        static Parsed<BreakerOrder> Refuse(Rejection rejection) => new(null!, rejection);
    }

    private static bool TryParseTime(string? text, out TimeSpan time)
    {
        time = default;
        if (text is not [.., var unit] || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
        TimeSpan? one = unit switch { 's' => TimeSpan.FromSeconds(1), 'm' => TimeSpan.FromMinutes(1), 'h' => TimeSpan.FromHours(1), _ => null };
        if (one is not { } length || number > LongestTime / length) return false;
        time = length * number;
        return true;
    }

    private static string NameOf(BreakerHand hand) => hand switch { BreakerHand.ForcedOpen => "forced_open", BreakerHand.ForcedClosed => "closed", _ => "auto" };
}

/// <summary>The body of <c>POST /breakers/{name}</c>.</summary>
internal sealed record ForceBody(string? State = null, string? For = null, string? Reason = null);

/// <summary>What became of it.</summary>
internal sealed record ForcedView(string Name, string State, DateTimeOffset? Until, string Reason, string Reaches);

/// <summary>The answer of <c>GET /breakers</c>.</summary>
internal sealed record BreakerList(BreakerView[] Breakers);

/// <summary>A breaker as it is shown.</summary>
internal sealed record BreakerView(
    string Name, string State, bool Degraded, int Calls, double FailureRate, double P95Seconds, double Health, long Rejected, string? Reason, double? NextAttemptSeconds)
{
    public static BreakerView Of(Breaker breaker)
    {
        var status = breaker.Look();
        var reading = status.Reading;
        return new BreakerView(
            breaker.Name, status.State.Name(), status.IsDegraded, reading.Calls, Math.Round(reading.FailureRate, 4), reading.P95.TotalSeconds,
            Math.Round(reading.Health, 4), status.Rejected, status.Reason.Length == 0 ? null : status.Reason,
            status.NextAttempt is { } next ? Math.Round(next.TotalSeconds, 3) : null);
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(BreakerList))]
[JsonSerializable(typeof(ForceBody))]
[JsonSerializable(typeof(ForcedView))]
internal sealed partial class BreakerJson : JsonSerializerContext;
