using HeartGrains.Gateway.Diagnostics;
using HeartGrains.Gateway.Hearts;
using HeartGrains.Gateway.Identity;
using HeartGrains.Gateway.Problems;
using HeartGrains.Gateway.Sites;
using HeartGrains.Hearts;

namespace HeartGrains.Gateway.Embed;

/// <summary>The heart of a page without JavaScript: a plain form, after which the reader is on the page again.</summary>
internal sealed class HeartForm(HeartGiving giving, Readers readers, CallerNetworks networks, SiteList sites)
{
    private const int BodyByteLimit = 16 * 1024;
    private const int ReturnByteLimit = 2048;
    private const int ActionByteLimit = 16;

    /// <summary><c>POST /hearts/form</c></summary>
    public async Task PostAsync(HttpContext context)
    {
        var body = await FormFields.ReadBodyAsync(context.Request, BodyByteLimit);
        var form = body.Rejection is null ? Parse(body.Value) : new(null!, body.Rejection);
        var operation = form.Value?["action"] == "withdraw" ? HeartOperation.Withdraw : HeartOperation.Give;
        var caller = form.Rejection is { } invalid ? new Caller(null, Refusal: invalid) : Identify(context);
        if (caller.Origin is not null) caller = caller with { Origin = networks.Fill(context, caller.Origin) };
        if (caller.UserId is null)
        {
            giving.CountInvalid(operation);
            await caller.RefuseAsync(context);
            return;
        }

        var target = form.Value!["target_id"]!;
        var result = await (operation == HeartOperation.Give ? giving.GiveAsync(context, target, caller) : giving.WithdrawAsync(context, target, caller));
        if (result.Refusal is { } refusal)
        {
            await refusal.WriteAsync(context);
            return;
        }

        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Location = sites.TryReadPage(form.Value["return"], context, out var page) || sites.TryReadPage(context.Request.Headers.Referer, context, out page) ? page : "/";
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
    }

    private static Parsed<FormFields> Parse(string body)
    {
        var form = FormFields.Parse(
            body, Problem.InvalidFields, ("target_id", Identifier.TargetByteLimit), ("return", ReturnByteLimit), ("action", ActionByteLimit));
        if (form.Rejection is not null) return form;
        if (form.Value["target_id"] is null) return Rejected("target_id", "is missing");
        return form.Value["action"] is null or "give" or "withdraw" ? form : Rejected("action", "must be give or withdraw");
    }

    private static Parsed<FormFields> Rejected(string field, string message) =>
        new(null!, new Rejection(Problem.InvalidFields, "See errors for each field.").Add(field, message));

    private Caller Identify(HttpContext context)
    {
        if (!sites.Allows(context)) return Caller.OfForeignPage;
        if (readers.Find(context) is not null || IsOurSite(context)) return readers.FindOrIssue(context);

        // A form of another site brings no cookie, and none that we set would come with the next.
        return readers.OfAddress(context, AddressReaders.Soft) is { } reader ? new Caller(reader, HeartOrigin.Reader) : Caller.Nobody(Problem.InvalidFields);
    }

    private static bool IsOurSite(HttpContext context) =>
        context.Request.Headers.Origin.Count > 0 && (!SiteList.IsForeign(context) || context.Request.Headers["Sec-Fetch-Site"] == "same-site");
}
