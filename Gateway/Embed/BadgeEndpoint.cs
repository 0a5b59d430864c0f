using System.Security.Cryptography;
using System.Text;
using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Resilience;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Embed;

/// <summary>The count as a picture. Whoever shows it in an image cannot say that it is old, so it is: when silos do not answer, the last known count.</summary>
internal sealed class BadgeEndpoint(GrainCalls calls, LastKnown lastKnown, GatewayMetrics metrics)
{
    private const int LabelByteLimit = 64;
    private const int WordByteLimit = 16;

    private static readonly Dictionary<string, string> Colors = new(StringComparer.Ordinal)
    {
        ["heart"] = Badge.DefaultColor,
        ["red"] = "c62828",
        ["orange"] = "e65100",
        ["yellow"] = "f2c037",
        ["green"] = "2e7d32",
        ["teal"] = "00796b",
        ["blue"] = "1565c0",
        ["purple"] = "6a3fb5",
        ["pink"] = "f06292",
        ["grey"] = "5f6670",
        ["gray"] = "5f6670",
        ["black"] = "1b1d21",
        ["white"] = "ffffff",
    };

    /// <summary><c>GET /badge.svg</c></summary>
    public async Task GetAsync(HttpContext context)
    {
        var query = FormFields.Parse(
            (context.Request.QueryString.Value ?? "").AsSpan().TrimStart('?'), Problem.InvalidQuery,
            ("target_id", Identifier.TargetByteLimit), ("label", LabelByteLimit), ("color", WordByteLimit), ("style", WordByteLimit));
        var badge = new Badge("", Badge.DefaultColor, BadgeStyle.Flat);
        if ((query.Rejection ?? Parse(query.Value, ref badge)) is { } rejection)
        {
            await context.WriteProblemAsync(rejection);
            return;
        }

        var target = query.Value["target_id"]!;
        if (calls.SparingAge is { } age && lastKnown.TryFind(target, age, out var known))
        {
            await SendStaleAsync(context, badge, known);
            return;
        }

        var call = new HeartRead(target, null) { RequestAborted = context.RequestAborted };
        var status = await calls.CallAsync(call);
        if (status == CallStatus.Answered && call.Value.Outcome == HeartOutcome.Committed)
        {
            lastKnown.Note(target, call.Value);
            await SendAsync(context, badge, call.Value.Count + call.Value.Opening);
        }
        else
        {
            await (status != CallStatus.Aborted && lastKnown.TryFind(target, out known)
                ? SendStaleAsync(context, badge, known)
                : HeartRefusals.ReadFailedAsync(context, status, call.Value.Outcome, call.RetryAfterSeconds));
        }
    }

    private Task SendStaleAsync(HttpContext context, Badge badge, in KnownHearts known)
    {
        metrics.CountStale();
        return SendAsync(context, badge, known.Count + known.Opening);
    }

    private static Rejection? Parse(FormFields query, ref Badge badge)
    {
        if (query["target_id"] is null) return Rejected("target_id", "is missing");
        var label = query["label"] ?? "";
        if (label.EnumerateRunes().Any(IsNoncharacter)) return Rejected("label", "must hold no noncharacters such as U+FFFE");
        if (!TryReadColor(query["color"] ?? "heart", out var color)) return Rejected("color", $"must be three or six hexadecimal digits or one of {string.Join(", ", Colors.Keys)}");
        BadgeStyle? style = query["style"] switch { null or "flat" => BadgeStyle.Flat, "square" => BadgeStyle.Square, "pill" => BadgeStyle.Pill, _ => null };
        if (style is null) return Rejected("style", "must be flat, square or pill");
        badge = new Badge(label, color, style.Value);
        return null;
    }

    private static Rejection Rejected(string field, string message) => new Rejection(Problem.InvalidQuery, "See errors for each parameter.").Add(field, message);

    /// <summary>Code points that stand for no character, ever; of some of them XML is not well-formed.</summary>
    private static bool IsNoncharacter(Rune rune) => (rune.Value & 0xFFFE) == 0xFFFE || rune.Value is >= 0xFDD0 and <= 0xFDEF;

    private static bool TryReadColor(string text, out string color)
    {
        if (Colors.TryGetValue(text, out color!)) return true;
        color = text.TrimStart('#').ToLowerInvariant();
        if (color.Length == 3) color = string.Concat(color.Select(static digit => new string(digit, 2)));
        return color.Length == 6 && color.All(char.IsAsciiHexDigit);
    }

    private static Task SendAsync(HttpContext context, Badge badge, long count)
    {
        var svg = Encoding.UTF8.GetBytes(badge.Draw(count));

        // By what is shown: of two versions that look the same, one is enough.
        var entityTag = $"\"{Convert.ToHexStringLower(SHA256.HashData(svg).AsSpan(0, 8))}\"";
        var response = context.Response;

        // On our own pages it is seen right after the reader's heart is given by a form: it asks each time, and there are few of them.
        response.Headers.CacheControl = context.Request.Headers["Sec-Fetch-Site"] == "same-origin" ? WebFileRoutes.Revalidated : "public, max-age=60";
        response.Headers.ETag = entityTag;
        response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        if (EntityTag.Matches(context.Request.Headers.IfNoneMatch, entityTag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        response.ContentType = "image/svg+xml";
        response.ContentLength = svg.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : response.Body.WriteAsync(svg).AsTask();
    }
}
