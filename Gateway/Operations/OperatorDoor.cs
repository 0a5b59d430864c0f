using System.Text.Json.Serialization.Metadata;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Problems;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Operations;

/// <summary>Lets operators in, and reads what they send.</summary>
internal sealed class OperatorDoor(Callers callers)
{
    private const int BodyByteLimit = 8 * 1024;

    /// <summary>Who calls; null when the refusal is written.</summary>
    public async ValueTask<HeartOrigin?> LetInAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (callers.TryAuthorize(context, AuthScope.HeartsAdmin, out var caller)) return caller.Origin;
        await caller.RefuseAsync(context);
        return null;
    }

    /// <summary>The body, once checked, and who sent it; nulls when the answer is written: not an operator, or not a body of the fields wanted.</summary>
    public async ValueTask<(T? Body, HeartOrigin? Origin)> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type, Func<T, Rejection, T> check, int byteLimit = BodyByteLimit)
        where T : class
    {
        if (await LetInAsync(context) is not { } origin) return default;
        var body = await JsonBody.ReadAsync(context.Request, byteLimit, json =>
        {
            var read = OperatorFields.Read(json, type);
            if (read.Rejection is not null) return read;
            var wrong = new Rejection(Problem.InvalidFields, "See errors for each field.");
            var value = check(read.Value, wrong);
            return wrong.Errors.Count > 0 ? new(null!, wrong) : new Parsed<T>(value, null);
        });
        if (body.Rejection is not { } rejection) return (body.Value, origin);
        await context.WriteProblemAsync(rejection);
        return default;
    }

    /// <summary>The reason as it is kept; what is wrong with it is added.</summary>
    public static string Reason(string? text, Rejection wrong)
    {
        if (OperatorFields.CheckReason(text, out var reason) is { } unsaid) wrong.Add("reason", unsaid);
        return reason;
    }
}
